// How orders are counted: per batch, after what was committed.
//
// N1. An order is counted as accepted when it is taken on, and not when it is asked for again.
// N2. What ends an order later is counted where it moves: the answers of placing say only what never
//     became an order.

import type { Metrics } from '@rushlight/chassis';
import type { Answer, OrderStatus } from '@rushlight/contracts';

type Counts = Pick<Metrics, 'count'>;

/** @param repeats those of the answers that were given to a key that was known */
export function countPlaced(
  metrics: Counts,
  answers: readonly Answer[],
  repeats: ReadonlySet<Answer>,
): void {
  const seen = { accepted: 0, queued: 0, repeated: 0, unknownItem: 0, keyReused: 0 };
  const results = { ok: 0, refused: 0, failed: 0 };
  for (const answer of answers) {
    const { status } = answer;
    const isRepeat = repeats.has(answer);
    if (status < 300) results.ok += 1;
    else if (status < 500) results.refused += 1;
    else results.failed += 1;
    if (isRepeat && status === 422) seen.keyReused += 1;
    else if (isRepeat) seen.repeated += 1;
    else if (status === 201) seen.accepted += 1;
    else if (status === 202) seen.queued += 1;
    else if (status === 404) seen.unknownItem += 1;
  }
  metrics.count('orders_accepted_total', { outcome: 'stock_verified' }, seen.accepted);
  metrics.count('orders_accepted_total', { outcome: 'queued' }, seen.queued);
  metrics.count('orders_retried_total', { how: 'queued' }, seen.queued);
  metrics.count('orders_retried_total', { how: 'repeated' }, seen.repeated);
  metrics.count('orders_rejected_total', { reason: 'unknown_item' }, seen.unknownItem);
  metrics.count('orders_rejected_total', { reason: 'key_reused' }, seen.keyReused);
  for (const result of ['ok', 'refused', 'failed'] as const) {
    metrics.count('order_operations_total', { operation: 'place', result }, results[result]);
  }
}

/** Keys that were looked up: whoever asks so has lost an answer. */
export function countLookedUp(metrics: Counts, answers: readonly (Answer | null)[]): void {
  const known = answers.filter((answer) => answer !== null);
  const repeated = known.filter(({ status }) => status !== 422).length;
  metrics.count('orders_retried_total', { how: 'repeated' }, repeated);
  metrics.count('orders_rejected_total', { reason: 'key_reused' }, known.length - repeated);
}

/** Steps that were committed. What ends by its deadline failed, and is counted by the sweeper. */
export function countMoved(
  metrics: Counts,
  status: OrderStatus,
  orders: number,
  reason?: string,
): void {
  if (status === 'pending') return;
  metrics.count('orders_processed_total', { status }, orders);
  if (reason === 'sold_out' || reason === 'insufficient_funds' || reason === 'payment_declined') {
    metrics.count('orders_rejected_total', { reason }, orders);
  }
}
