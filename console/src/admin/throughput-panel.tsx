import { useQuery } from '@tanstack/react-query';
import { throughputQuery } from '../api/queries.ts';
import { columns, outcomes, sums, type Throughput } from '../domain/throughput.ts';
import { Card, Section } from '../ui/card.tsx';
import { Failed, Skeleton } from '../ui/feedback.tsx';
import { LineChart } from './line-chart.tsx';

/** Orders a second by outcome, over the last five minutes. */
export function ThroughputPanel() {
  const { data, error } = useQuery(throughputQuery);
  return (
    <Section title="Orders a second" note="By outcome, over the last 5 minutes">
      {error && !data && <Failed error={error} />}
      <Card className="p-4">
        {data ? <Legend data={data} /> : <Skeleton className="h-12" />}
        <div className="mt-3 h-56">
          {data && (
            <LineChart label="Orders a second" series={outcomes} data={columns(data, Date.now())} />
          )}
        </div>
      </Card>
    </Section>
  );
}

function Legend({ data }: { data: Throughput }) {
  const total = sums(data);
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-2">
      {outcomes.map(({ name, label, color }) => (
        <div key={name} className="min-w-20">
          <dt className="text-muted-foreground flex items-center gap-1.5 text-xs font-semibold">
            <span
              aria-hidden
              className="size-2.5 rounded-full"
              style={{ backgroundColor: `var(${color})` }}
            />
            {label}
          </dt>
          <dd className="font-semibold tabular-nums">{total[name].toLocaleString('en-US')}</dd>
        </div>
      ))}
    </dl>
  );
}
