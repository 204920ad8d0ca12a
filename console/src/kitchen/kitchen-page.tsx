// The kitchen display: what waits, what cooks, what stands ready. The stream says when to look again.

import type { Ticket } from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { Bot, Hand } from 'lucide-react';
import { useState } from 'react';
import { ticketsQuery } from '../api/queries.ts';
import { useFallback } from '../live/use-fallback.ts';
import { Badge } from '../ui/badge.tsx';
import { cn } from '../ui/cn.ts';
import { Failed, Skeleton } from '../ui/feedback.tsx';
import { useNowMs, useTitle } from '../ui/hooks.ts';
import { RefuseDialog } from './refuse-dialog.tsx';
import { TicketCard } from './ticket-card.tsx';

const columns = [
  { status: 'waiting', title: 'Waiting', empty: 'Nobody is waiting.' },
  { status: 'cooking', title: 'Cooking', empty: 'No station is busy.' },
  { status: 'ready', title: 'Ready', empty: 'The counter is empty.' },
] as const;

/** More than this would only be scrolled past; the number above says how many there are. */
const shownMax = 60;

export function KitchenPage() {
  useTitle('Kitchen');
  const { data, error, refetch } = useQuery({
    ...ticketsQuery,
    refetchInterval: useFallback(),
  });
  const [refusing, setRefusing] = useState<Ticket | undefined>(undefined);
  const nowMs = useNowMs(1_000);
  return (
    <div className="space-y-5">
      <div className="flex min-h-9 flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="text-2xl font-semibold">Kitchen</h1>
        {data && <Mode auto={data.auto} />}
        {data && (
          <span className="text-muted-foreground text-sm tabular-nums">
            {data.stations} {data.stations === 1 ? 'station' : 'stations'}
          </span>
        )}
      </div>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      <div className="grid items-start gap-5 md:grid-cols-3">
        {columns.map((column) => (
          <Column
            key={column.status}
            {...column}
            tickets={data?.tickets.filter(({ status }) => status === column.status)}
            count={column.status === 'waiting' ? data?.waiting : undefined}
            nowMs={nowMs}
            onRefuse={setRefusing}
          />
        ))}
      </div>
      <RefuseDialog ticket={refusing} onClose={() => setRefusing(undefined)} />
    </div>
  );
}

function Mode({ auto }: { auto: boolean }) {
  return (
    <Badge tone={auto ? 'good' : 'busy'} className="px-3 py-1 text-sm">
      {auto ? <Bot aria-hidden /> : <Hand aria-hidden />}
      {auto ? 'Auto mode' : 'By hand'}
    </Badge>
  );
}

const accents = {
  waiting: 'border-t-chart-neutral',
  cooking: 'border-t-flame',
  ready: 'border-t-good',
} as const;

function Column({
  status,
  title,
  empty,
  tickets,
  count,
  nowMs,
  onRefuse,
}: (typeof columns)[number] & {
  tickets: readonly Ticket[] | undefined;
  count: number | undefined;
  nowMs: number;
  onRefuse: (ticket: Ticket) => void;
}) {
  const total = Math.max(count ?? 0, tickets?.length ?? 0);
  const shown = tickets?.slice(0, shownMax);
  return (
    <section
      aria-label={title}
      className={cn('bg-muted/60 rounded-2xl border border-t-4 p-3', accents[status])}
    >
      <h2 className="mb-3 flex items-baseline justify-between px-1 text-xl font-semibold">
        {title}
        <span className="text-muted-foreground tabular-nums" data-testid={`count-${status}`}>
          {tickets ? total : ''}
        </span>
      </h2>
      {!tickets && <Skeleton className="h-40 rounded-2xl" />}
      {tickets?.length === 0 && (
        <p className="text-muted-foreground grid h-28 place-items-center text-sm">{empty}</p>
      )}
      <ul className="space-y-3">
        {shown?.map((ticket) => (
          <TicketCard key={ticket.orderId} ticket={ticket} nowMs={nowMs} onRefuse={onRefuse} />
        ))}
      </ul>
      {tickets && total > shownMax && (
        <p className="text-muted-foreground pt-3 text-center text-sm tabular-nums">
          and {total - (shown?.length ?? 0)} more
        </p>
      )}
    </section>
  );
}
