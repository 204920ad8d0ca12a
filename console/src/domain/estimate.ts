// The stream tells an order's steps. What moves without a step is the line in front of it: so while an
// order waits or cooks, its page looks again, the more rarely the longer the wait still is.

import type { OrderView } from '@rushlight/contracts';

/** How long until the next look at the place in the line, in ms; false when there is none. */
export function nextLookMs(
  order: Pick<OrderView, 'status' | 'readyAt'> | undefined,
  nowMs: number,
): number | false {
  if (order?.status !== 'paid' && order?.status !== 'in_kitchen') return false;
  // The kitchen gets its ticket a moment after the payment.
  if (order.readyAt === undefined) return 1_500;
  const leftMs = Date.parse(order.readyAt) - nowMs;
  if (order.status === 'in_kitchen') return clamp(leftMs + 1_000, 2_000, 600_000);
  return clamp(leftMs / 2, 3_000, 60_000);
}

function clamp(ms: number, min: number, max: number): number {
  return Math.round(Math.min(max, Math.max(min, ms)));
}
