import type { OrderView } from '@rushlight/contracts';
import { Check, X } from 'lucide-react';
import { type StepState, statusTexts, stepState, trackerSteps } from '../domain/order-status.ts';
import { timeOfDaySeconds } from '../domain/time.ts';
import { Card } from '../ui/card.tsx';
import { cn } from '../ui/cn.ts';

type Step = (typeof trackerSteps)[number];

/** The way of an order, step by step; it moves by itself. */
export function Tracker({ order }: { order: OrderView }) {
  const ended = order.status === 'rejected' || order.status === 'cancelled';
  const steps = ended
    ? trackerSteps.filter((step) => stepState(order, step) === 'done')
    : trackerSteps;
  return (
    <Card className="p-5">
      <ol aria-label="Progress of your order">
        {steps.map((step, index) => (
          <StepRow
            key={step}
            label={labelOf(order, step)}
            state={stepState(order, step)}
            at={order.history.find(({ status }) => status === step)?.at}
            last={!ended && index === steps.length - 1}
          />
        ))}
        {ended && (
          <StepRow
            label={statusTexts[order.status].label}
            state="missed"
            at={order.history.at(-1)?.at}
            last
          />
        )}
      </ol>
    </Card>
  );
}

function labelOf(order: OrderView, step: Step): string {
  const queued = order.status === 'queued' && step === 'pending';
  return statusTexts[queued ? 'queued' : step].label;
}

function StepRow({
  label,
  state,
  at,
  last,
}: {
  label: string;
  state: StepState;
  at: string | undefined;
  last: boolean;
}) {
  return (
    <li
      aria-current={state === 'now' ? 'step' : undefined}
      data-state={state}
      className="relative flex gap-3.5 pb-5 last:pb-0"
    >
      {!last && (
        <span
          aria-hidden
          className={cn('absolute top-7 bottom-0 left-[0.8125rem] w-0.5', {
            'bg-good': state === 'done',
            'bg-border': state !== 'done',
          })}
        />
      )}
      <Dot look={state === 'now' && label === statusTexts.ready.label ? 'done' : state} />
      <span
        className={cn('flex-1 leading-7', {
          'text-muted-foreground': state === 'next',
          'font-semibold': state !== 'next',
        })}
      >
        {label}
      </span>
      <span className="text-muted-foreground text-sm leading-7 tabular-nums">
        {at && state !== 'next' ? timeOfDaySeconds(at) : ''}
      </span>
    </li>
  );
}

/** Ready is where the student acts, but nothing is left to wait for: it looks done. */
function Dot({ look }: { look: StepState }) {
  const classes: Record<StepState, string> = {
    done: 'bg-good text-white dark:text-background',
    now: 'bg-flame/25 ring-flame ring-2',
    next: 'border-2 bg-card',
    missed: 'bg-bad-soft text-bad-ink',
  };
  return (
    <span
      aria-hidden
      className={cn(
        'grid size-7 shrink-0 place-items-center rounded-full [&_svg]:size-4',
        classes[look],
      )}
    >
      {look === 'done' && <Check strokeWidth={3} />}
      {look === 'missed' && <X strokeWidth={3} />}
      {look === 'now' && <span className="bg-flame size-2.5 animate-pulse rounded-full" />}
    </span>
  );
}
