// The life of an order as it is promised to the outside.
//
//   pending → stock_verified → paid → in_kitchen → ready → collected
//   pending → queued → stock_verified        from paid on, steps may be left out
//
// L1. Each step leads to one that the table allows. So no status comes twice, and none comes back.
// L2. An audit counts three ends: sold (paid or later), rejected, cancelled.

import type { OrderRecord } from './evidence.ts';

const nextOf: Record<string, readonly string[]> = {
  pending: ['queued', 'stock_verified', 'rejected', 'cancelled'],
  queued: ['stock_verified', 'rejected', 'cancelled'],
  stock_verified: ['paid', 'rejected', 'cancelled'],
  paid: ['in_kitchen', 'ready', 'collected', 'cancelled'],
  in_kitchen: ['ready', 'collected', 'cancelled'],
  ready: ['collected', 'cancelled'],
  collected: [],
  rejected: [],
  cancelled: [],
};

const ranks: Record<string, number> = {
  pending: 0,
  queued: 1,
  stock_verified: 2,
  paid: 3,
  in_kitchen: 4,
  ready: 5,
  collected: 6,
  rejected: 7,
  cancelled: 7,
};

export const firstStatus = 'pending';

export function mayFollow(before: string, after: string): boolean {
  return nextOf[before]?.includes(after) ?? false;
}

/** Whether an order in one status can still take the other. */
export function mayBecome(before: string, after: string): boolean {
  return (nextOf[before] ?? []).some((next) => next === after || mayBecome(next, after));
}

/** How far along a status is; undefined for one that there is not. */
export function rankOf(status: string): number | undefined {
  return ranks[status];
}

export function isSold(status: string): boolean {
  const rank = ranks[status];
  return rank !== undefined && rank >= 3 && rank <= 6;
}

export function isDead(status: string): boolean {
  return status === 'rejected' || status === 'cancelled';
}

/** Of these steps the student must hear. */
export function isTold(status: string): boolean {
  return status === 'paid' || isDead(status);
}

export function hasBeen(order: OrderRecord, status: string): boolean {
  return order.history.some((step) => step.status === status);
}

/** When it took its last status; -Infinity where it has no history. */
export function endedMs(order: OrderRecord): number {
  return order.history.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
}

export function acceptedMs(order: OrderRecord): number {
  return order.history[0]?.atMs ?? Number.NEGATIVE_INFINITY;
}
