// The shop's figures, from telemetry alone: the monitor reads nobody's database. So they are as good
// as the scrapes were, and for the books there is GET /api/v1/admin/audit.
//
// | figure | from |
// | --- | --- |
// | orders a second, hour profile | `orders_accepted_total` |
// | success | `orders_processed_total{status}`: paid ÷ (paid + rejected + cancelled + failed) |
// | failed | `orders_failed_total{reason}`; those by the deadline are among the rejected already |
// | best sellers | `portions_sold_total{item}` |
// | revenue | `payments_cents_total{kind}`: captured − refunded |

import type { Series } from '../model.ts';
import { type Counting, eachIncrease, increaseBy, increasePerStep } from './increases.ts';

/** The metrics that must be selected for these figures. */
export const analyticsMetrics = [
  'orders_accepted_total',
  'orders_rejected_total',
  'orders_failed_total',
  'orders_processed_total',
  'portions_sold_total',
  'payments_cents_total',
] as const;

export type Analytics = {
  orders: {
    accepted: number;
    refused: number;
    /** What we owed and did not do. */
    failed: number;
    paid: number;
    rejected: number;
    cancelled: number;
  };
  /** Of the orders that came to an end in the window, or to nothing; null where none did. */
  successShare: number | null;
  averagePerS: number;
  peakPerS: number;
  throughput: { atMs: number; acceptedPerS: number; refusedPerS: number }[];
  bestSellers: { item: string; portions: number }[];
  revenueCents: { captured: number; refunded: number; net: number };
  /** Accepted orders by the hour of the day in UTC, 24 of them. */
  hourProfile: number[];
};

export type AnalyticsInput = {
  series: readonly Series[];
  counting: Counting;
  toMs: number;
  stepMs: number;
  /** Best sellers that are listed. */
  itemsMax: number;
};

const hourMs = 3_600_000;

export function analyticsOf(input: AnalyticsInput): Analytics {
  const { series, counting, toMs, stepMs, itemsMax } = input;
  const { fromMs } = counting;
  const named = (name: (typeof analyticsMetrics)[number]) =>
    series.filter(({ labels }) => labels['__name__'] === name);
  const count = Math.max(1, Math.ceil((toMs - fromMs) / stepMs));
  const steps = { stepMs, count };
  const accepted = increasePerStep(named('orders_accepted_total'), counting, steps);
  const refused = increasePerStep(named('orders_rejected_total'), counting, steps);
  const ended = increaseBy(named('orders_processed_total'), 'status', counting);
  const of = (status: string): number => ended.get(status) ?? 0;
  const failures = increaseBy(named('orders_failed_total'), 'reason', counting);
  const failed = [...failures.values()].reduce((all, one) => all + one, 0);
  const neverBegun = failed - (failures.get('deadline') ?? 0);
  const endedCount = of('paid') + of('rejected') + of('cancelled') + neverBegun;
  const sold = increaseBy(named('portions_sold_total'), 'item', counting);
  const moved = increaseBy(named('payments_cents_total'), 'kind', counting);
  const [captured, refunded] = [moved.get('captured') ?? 0, moved.get('refunded') ?? 0];
  const perS = (counts: Float64Array, at: number): number => ((counts[at] ?? 0) * 1000) / stepMs;
  const throughput = Array.from(accepted, (_, at) => ({
    atMs: fromMs + at * stepMs,
    acceptedPerS: perS(accepted, at),
    refusedPerS: perS(refused, at),
  }));
  const sum = (counts: Float64Array): number => counts.reduce((all, one) => all + one, 0);
  return {
    orders: {
      accepted: sum(accepted),
      refused: sum(refused),
      failed,
      paid: of('paid'),
      rejected: of('rejected'),
      cancelled: of('cancelled'),
    },
    successShare: endedCount === 0 ? null : of('paid') / endedCount,
    averagePerS: toMs > fromMs ? (sum(accepted) * 1000) / (toMs - fromMs) : 0,
    peakPerS: throughput.reduce((most, { acceptedPerS }) => Math.max(most, acceptedPerS), 0),
    throughput,
    bestSellers: [...sold]
      .filter(([, portions]) => portions > 0)
      .slice(0, itemsMax)
      .map(([item, portions]) => ({ item, portions })),
    revenueCents: { captured, refunded, net: captured - refunded },
    hourProfile: hourProfileOf(named('orders_accepted_total'), counting, toMs),
  };
}

function hourProfileOf(series: readonly Series[], counting: Counting, toMs: number): number[] {
  const hours = new Array<number>(24).fill(0);
  for (const one of series) {
    eachIncrease(one, counting, (atMs, by) => {
      if (atMs > toMs) return;
      // A value seen on the full hour tells of the hour before it.
      const hour = Math.floor((atMs - 1) / hourMs) % 24;
      hours[hour] = (hours[hour] ?? 0) + by;
    });
  }
  return hours;
}
