import type { FaultName, ServiceState } from '@rushlight/contracts';
import { Skull, Snowflake } from 'lucide-react';
import { span } from '../domain/time.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { cn } from '../ui/cn.ts';

const states = {
  up: { label: 'Up', tone: 'good', dot: 'bg-good' },
  degraded: { label: 'Degraded', tone: 'busy', dot: 'bg-warn' },
  down: { label: 'Down', tone: 'bad', dot: 'bg-bad' },
} as const;

export function ServiceCard({
  part,
  summary,
  fault,
  labOn,
  nowMs,
  onKill,
  onFreeze,
}: {
  part: ServiceState;
  summary: string;
  fault: FaultName | undefined;
  labOn: boolean;
  nowMs: number;
  onKill: () => void;
  onFreeze: () => void;
}) {
  const { label, tone, dot } = states[part.state];
  return (
    <Card
      role="listitem"
      aria-label={part.name}
      data-state={part.state}
      className={cn('flex min-h-52 flex-col gap-3 p-4', { 'border-bad/60': part.state === 'down' })}
    >
      <div className="flex items-center justify-between gap-2">
        <h3 className="text-lg font-semibold">{part.name}</h3>
        <Badge tone={tone}>
          <span aria-hidden className={cn('size-2 rounded-full', dot)} />
          {fault === 'stop' ? 'Frozen' : label}
        </Badge>
      </div>
      <p className="text-muted-foreground min-h-10 text-sm leading-snug">{summary}</p>
      <Figures part={part} nowMs={nowMs} />
      <Dependencies dependencies={part.dependencies} />
      {labOn && (
        <div className="mt-auto flex gap-2 pt-1">
          <Button
            variant="danger-outline"
            size="sm"
            className="flex-1"
            aria-label={`Kill ${part.name}`}
            onClick={onKill}
          >
            <Skull /> Kill
          </Button>
          <Button
            variant="outline"
            size="sm"
            className="flex-1"
            aria-label={`Freeze ${part.name} for 5 s`}
            onClick={onFreeze}
          >
            <Snowflake /> Freeze 5 s
          </Button>
        </div>
      )}
    </Card>
  );
}

function Figures({ part, nowMs }: { part: ServiceState; nowMs: number }) {
  return (
    <dl className="grid grid-cols-3 gap-2 text-sm">
      <Figure label="Since" value={span(nowMs - Date.parse(part.since))} />
      <Figure label="PID" value={part.pid === null ? '–' : String(part.pid)} />
      <Figure
        label="Memory"
        value={part.memoryMb === null ? '–' : `${Math.round(part.memoryMb)} MB`}
      />
    </dl>
  );
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt className="text-muted-foreground text-xs font-semibold">{label}</dt>
      <dd className="font-semibold tabular-nums">{value}</dd>
    </div>
  );
}

function Dependencies({ dependencies }: { dependencies: ServiceState['dependencies'] }) {
  const names = Object.entries(dependencies);
  if (names.length === 0) return null;
  return (
    <ul aria-label="Dependencies" className="flex flex-wrap gap-x-3 gap-y-1 text-xs">
      {names.map(([name, state]) => (
        <li key={name} className="flex items-center gap-1.5">
          <span
            aria-hidden
            className={cn('size-1.5 rounded-full', state === 'up' ? 'bg-good' : 'bg-bad')}
          />
          <span className={cn({ 'text-bad-ink font-semibold': state === 'down' })}>
            {name}
            {state === 'down' && ' is down'}
          </span>
        </li>
      ))}
    </ul>
  );
}
