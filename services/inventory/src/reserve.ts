// How stock is decided: a batch of orders, walked in the order in which they arrived.
//
// R1. All lines of an order are reserved, or none.
// R2. An order that was answered once gets the same answer again; a released one is never revived.
// R3. Whether orders are decided one by one or in batches makes no difference to any answer.
// R4. An order is short only if, at its turn, an item really had less left than it asks for.

import type { OrderLine } from '@rushlight/contracts';
import {
  available,
  bookAll,
  type Change,
  EntrySums,
  type Hold,
  type HoldStatus,
  type Item,
} from './stock.ts';

export type ReserveRequest = { orderId: string; lines: readonly OrderLine[] };

export type ReserveAnswer =
  | { orderId: string; outcome: 'reserved' }
  | { orderId: string; outcome: 'short'; itemId: string; left: number }
  | { orderId: string; outcome: 'released' };

/** `true` leaves a tombstone for an order that is short, so that nobody can reserve it later. */
export type ShortIsFinal = boolean;

/**
 * Decides a batch.
 *
 * @param items the items of all lines, as they are now; one that is missing has nothing left
 * @param holds the status of the orders of this batch that have a hold
 * @returns one answer per request, in their order, and what to write
 */
export function reserve(
  items: ReadonlyMap<string, Item>,
  holds: ReadonlyMap<string, HoldStatus>,
  requests: readonly ReserveRequest[],
  shortIsFinal: ShortIsFinal,
): { answers: ReserveAnswer[]; change: Change } {
  const left = new Map<string, number>();
  for (const item of items.values()) left.set(item.itemId, item.removed ? 0 : available(item));
  const statuses = new Map(holds);
  const sums = new EntrySums();
  const newHolds: Hold[] = [];

  const decide = ({ orderId, lines }: ReserveRequest): ReserveAnswer => {
    const status = statuses.get(orderId);
    if (status) return { orderId, outcome: status === 'released' ? 'released' : 'reserved' };
    const wanted = byItem(lines);
    const missing = wanted.find((line) => line.quantity > (left.get(line.itemId) ?? 0));
    if (missing && !shortIsFinal) return short(orderId, missing, left);
    const hold: Hold = missing
      ? { orderId, status: 'released', lines: [] }
      : { orderId, status: 'reserved', lines: wanted };
    newHolds.push(hold);
    statuses.set(orderId, hold.status);
    if (missing) return short(orderId, missing, left);
    for (const line of wanted) {
      left.set(line.itemId, (left.get(line.itemId) ?? 0) - line.quantity);
    }
    sums.add('reserved', wanted);
    return { orderId, outcome: 'reserved' };
  };

  const answers = requests.map(decide);
  const entries = sums.entries();
  const change = { items: bookAll(items, entries), newHolds, movedHolds: [], entries };
  return { answers, change };
}

function short(
  orderId: string,
  { itemId }: OrderLine,
  left: ReadonlyMap<string, number>,
): ReserveAnswer {
  return { orderId, outcome: 'short', itemId, left: left.get(itemId) ?? 0 };
}

/** One line per item, so that a repeated item cannot be counted against the same stock twice. */
function byItem(lines: readonly OrderLine[]): OrderLine[] {
  if (lines.length === 1) return [...lines];
  const quantities = new Map<string, number>();
  for (const { itemId, quantity } of lines) {
    quantities.set(itemId, (quantities.get(itemId) ?? 0) + quantity);
  }
  return [...quantities].map(([itemId, quantity]) => ({ itemId, quantity }));
}
