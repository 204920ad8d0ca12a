// What becomes of a hold: sold when it is paid, given back when its order ends otherwise.
//
//   reserved --paid--> committed        reserved --ended--> released (free again)
//   committed --ended--> released (back on the shelf)       nothing --ended--> tombstone
//
// T1. Each move is made once: the status of the hold guards it, whatever is repeated.
// T2. An end that comes before its reserve leaves a tombstone, so that the late one is refused.
// T3. A payment that comes after the end, or without any hold, changes nothing.

import { bookAll, type Change, EntrySums, type Hold, type HoldStatus, type Item } from './stock.ts';

type Holds = ReadonlyMap<string, Hold>;

/**
 * Sells what is reserved for these orders.
 *
 * @returns what to write, and the paid orders that have no hold at all: they cannot exist, and
 *   stay visible to the audit because nothing is made up for them
 */
export function commit(
  items: ReadonlyMap<string, Item>,
  holds: Holds,
  orderIds: readonly string[],
): { change: Change; unknown: string[] } {
  const sums = new EntrySums();
  const movedHolds: Change['movedHolds'] = [];
  const unknown: string[] = [];
  for (const orderId of new Set(orderIds)) {
    const hold = holds.get(orderId);
    if (!hold) unknown.push(orderId);
    if (hold?.status !== 'reserved') continue;
    sums.add('committed', hold.lines);
    movedHolds.push({ orderId, status: 'committed' });
  }
  const entries = sums.entries();
  const change = { items: bookAll(items, entries), newHolds: [], movedHolds, entries };
  return { change, unknown };
}

/** Gives back whatever these orders hold, and refuses for ever those that hold nothing yet. */
export function release(
  items: ReadonlyMap<string, Item>,
  holds: Holds,
  orderIds: readonly string[],
): Change {
  const sums = new EntrySums();
  const movedHolds: Change['movedHolds'] = [];
  const newHolds: Hold[] = [];
  for (const orderId of new Set(orderIds)) {
    const hold = holds.get(orderId);
    if (!hold) newHolds.push({ orderId, status: 'released', lines: [] });
    else if (hold.status !== 'released') {
      sums.add(givenBack[hold.status], hold.lines);
      movedHolds.push({ orderId, status: 'released' });
    }
  }
  const entries = sums.entries();
  return { items: bookAll(items, entries), newHolds, movedHolds, entries };
}

const givenBack = { reserved: 'released', committed: 'returned' } as const satisfies Partial<
  Record<HoldStatus, string>
>;
