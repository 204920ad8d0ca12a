import type { MenuItem } from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { LoaderCircle } from 'lucide-react';
import type { AttemptStep } from '../api/attempt.ts';
import { CallError } from '../api/call-error.ts';
import { menuQuery } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Note } from '../ui/feedback.tsx';
import { useNowMs } from '../ui/hooks.ts';
import { abandonCheckout, resumeCheckout } from './checkout.ts';

/** Where the checkout stands, in plain words. */
export function CheckoutNote({ step }: { step: AttemptStep }) {
  switch (step.kind) {
    case 'sending':
      return step.tries === 1 ? <Sending /> : <StillTrying why="Asking again now…" />;
    case 'waiting':
      return <Waiting step={step} />;
    case 'given_up':
      return <GivenUp why={step.why} />;
    case 'refused':
      return <Refused step={step} />;
    case 'placed':
      return null;
  }
}

function Sending() {
  return (
    <Button size="lg" className="w-full" disabled>
      <LoaderCircle className="animate-spin" /> Placing your order…
    </Button>
  );
}

function Waiting({ step }: { step: Extract<AttemptStep, { kind: 'waiting' }> }) {
  const nowMs = useNowMs(250);
  const leftS = Math.max(0, Math.ceil((step.untilMs - nowMs) / 1_000));
  return (
    <StillTrying
      why={step.why}
      next={leftS > 0 ? `Next try in ${leftS} s.` : 'Asking again now…'}
    />
  );
}

function StillTrying({ why, next }: { why: string; next?: string }) {
  return (
    <div className="bg-warn-soft text-warn-ink space-y-2 rounded-xl p-4 text-sm" role="status">
      <p className="flex items-center gap-2 text-base font-semibold">
        <LoaderCircle className="size-5 animate-spin" aria-hidden /> Still trying to place your
        order
      </p>
      <p>{why}</p>
      <p className="min-h-5 tabular-nums">{next}</p>
      <p>It is the same order each time: you cannot be charged twice.</p>
      <Button variant="outline" size="sm" className="text-foreground" onClick={abandonCheckout}>
        Stop trying
      </Button>
    </div>
  );
}

function GivenUp({ why }: { why: string }) {
  return (
    <div className="bg-bad-soft text-bad-ink space-y-2 rounded-xl p-4 text-sm" role="alert">
      <p className="text-base font-semibold">We have no answer yet</p>
      <p>{why}</p>
      <p>
        Your order may or may not have gone through. Trying again is safe: it is the same order.
      </p>
      <div className="flex flex-wrap gap-2 pt-1">
        <Button size="sm" onClick={resumeCheckout}>
          Try again
        </Button>
        <Button variant="outline" size="sm" className="text-foreground" onClick={abandonCheckout}>
          Stop trying
        </Button>
      </div>
    </div>
  );
}

function Refused({ step }: { step: Extract<AttemptStep, { kind: 'refused' }> }) {
  const { data: menu } = useQuery(menuQuery);
  return <Note tone="bad">{withNames(step, menu ?? [])}</Note>;
}

/** The platform's sentence, with the item's name in place of its id. */
function withNames({ error, why }: { error: unknown; why: string }, menu: readonly MenuItem[]) {
  if (!(error instanceof CallError)) return why;
  const itemId = error.problem?.['itemId'];
  const name = menu.find((item) => item.itemId === itemId)?.name;
  return typeof itemId === 'string' && name ? why.replace(itemId, name) : why;
}
