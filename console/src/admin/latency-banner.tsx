// How long requests took in the last 30 s. Red when the average is over 1 s.

import { useQuery } from '@tanstack/react-query';
import { Timer, TriangleAlert } from 'lucide-react';
import { latencyQuery } from '../api/queries.ts';
import { cn } from '../ui/cn.ts';
import { Failed } from '../ui/feedback.tsx';

export function LatencyBanner() {
  const { data, error } = useQuery(latencyQuery);
  if (error && !data) return <Failed error={error} />;
  const breached = data?.breached ?? false;
  const figures = [
    ['Average', data?.averageMs],
    ['p50', data?.p50Ms],
    ['p95', data?.p95Ms],
    ['p99', data?.p99Ms],
  ] as const;
  return (
    <section
      aria-label="Latency of the last 30 seconds"
      data-breached={breached}
      className={cn('rounded-2xl border p-4 transition-colors sm:p-5', {
        'bg-bad border-transparent text-white dark:text-background': breached,
        'bg-card shadow-soft': !breached,
      })}
    >
      <div className="flex flex-wrap items-center gap-x-8 gap-y-4">
        <Verdict breached={breached} count={data?.count} windowS={data?.windowS ?? 30} />
        <dl className="grid w-full grid-cols-4 gap-3 lg:w-auto lg:flex-1">
          {figures.map(([label, ms]) => (
            <div key={label}>
              <dt className={cn('text-xs font-semibold', { 'text-muted-foreground': !breached })}>
                {label}
              </dt>
              <dd className="font-display text-lg font-semibold tabular-nums sm:text-2xl">
                {ms === undefined ? '–' : duration(ms)}
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </section>
  );
}

function Verdict({
  breached,
  count,
  windowS,
}: {
  breached: boolean;
  count: number | undefined;
  windowS: number;
}) {
  return (
    <div className="flex min-w-64 items-center gap-3">
      <span
        aria-hidden
        className={cn('grid size-11 shrink-0 place-items-center rounded-full [&_svg]:size-5.5', {
          'bg-white/20': breached,
          'bg-good-soft text-good-ink': !breached,
        })}
      >
        {breached ? <TriangleAlert /> : <Timer />}
      </span>
      <div>
        <p role="status" className="font-semibold">
          {breached ? 'Slow: the average is over 1 s' : 'Latency is fine'}
        </p>
        <p className={cn('text-sm tabular-nums', { 'text-muted-foreground': !breached })}>
          {count === undefined
            ? 'Reading…'
            : `${count.toLocaleString('en-US')} requests in the last ${windowS} s`}
        </p>
      </div>
    </div>
  );
}

function duration(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}
