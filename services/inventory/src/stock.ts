// Stock: what lies on the shelf, what of it is promised, and every step that changed it.
//
// S1. onHand = initial + added - sold, and onHand >= reserved >= 0. `available` is what is left to
//     promise: onHand - reserved.
// S2. Each change of a balance is an entry in the ledger; the balances can be computed from it.
// S3. stockVersion grows exactly when `available` changes: a view keeps the largest it has seen.

import assert from 'node:assert/strict';
import type { EventOf, OrderLine } from '@rushlight/contracts';

export type Item = {
  itemId: string;
  name: string;
  category: string;
  priceCents: number;
  removed: boolean;
  /** Grows with each edit by an admin, not with orders. */
  version: number;
  initial: number;
  added: number;
  /** Counts from payment. */
  sold: number;
  onHand: number;
  reserved: number;
  stockVersion: number;
};

export type HoldStatus = 'reserved' | 'committed' | 'released';

/** `released` without lines is a tombstone: this order will never be reserved. */
export type Hold = { orderId: string; status: HoldStatus; lines: readonly OrderLine[] };

export type EntryKind = 'initial' | 'added' | 'reserved' | 'released' | 'committed' | 'returned';
export type Entry = { itemId: string; kind: EntryKind; quantity: number };

/** What one transaction writes. */
export type Change = {
  /** The items whose balances change, as they are afterwards. */
  items: Item[];
  newHolds: Hold[];
  /** Holds that exist, with the status they take. */
  movedHolds: { orderId: string; status: HoldStatus }[];
  entries: Entry[];
};

export const noChange: Change = { items: [], newHolds: [], movedHolds: [], entries: [] };

export function available(item: Pick<Item, 'onHand' | 'reserved'>): number {
  return item.onHand - item.reserved;
}

/** Applies one entry to the balances of its item. */
export function book(item: Item, { kind, quantity }: Omit<Entry, 'itemId'>): Item {
  const { initial, added, sold, onHand, reserved } = item;
  switch (kind) {
    case 'initial':
      return checked({ ...item, initial: initial + quantity, onHand: onHand + quantity });
    case 'added':
      return checked({ ...item, added: added + quantity, onHand: onHand + quantity });
    case 'reserved':
      return checked({ ...item, reserved: reserved + quantity });
    case 'released':
      return checked({ ...item, reserved: reserved - quantity });
    case 'committed':
      return checked({
        ...item,
        reserved: reserved - quantity,
        onHand: onHand - quantity,
        sold: sold + quantity,
      });
    case 'returned':
      return checked({ ...item, onHand: onHand + quantity, sold: sold - quantity });
  }
}

function checked(item: Item): Item {
  const { itemId, initial, added, sold, onHand, reserved } = item;
  const figures = JSON.stringify({ initial, added, sold, onHand, reserved });
  assert(onHand === initial + added - sold, `${itemId} does not add up: ${figures}`);
  assert(reserved >= 0 && sold >= 0 && onHand >= reserved, `${itemId} is oversold: ${figures}`);
  return item;
}

/** Applies all entries of a transaction: one step of stockVersion for each item that needs it. */
export function bookAll(items: ReadonlyMap<string, Item>, entries: readonly Entry[]): Item[] {
  const after = new Map<string, Item>();
  for (const entry of entries) {
    const item = after.get(entry.itemId) ?? items.get(entry.itemId);
    assert(item, `an entry for ${entry.itemId}, which is not locked`);
    after.set(entry.itemId, book(item, entry));
  }
  return [...after.values()].map((item) => {
    const before = items.get(item.itemId);
    const same = before !== undefined && available(before) === available(item);
    return same ? item : { ...item, stockVersion: item.stockVersion + 1 };
  });
}

/** Sums quantities by item and kind, so that a batch costs one entry an item. */
export class EntrySums {
  readonly #sums = new Map<string, Entry>();

  add(kind: EntryKind, lines: readonly OrderLine[]): void {
    for (const { itemId, quantity } of lines) {
      const key = `${kind} ${itemId}`;
      const sum = this.#sums.get(key);
      if (sum) sum.quantity += quantity;
      else this.#sums.set(key, { itemId, kind, quantity });
    }
  }

  entries(): Entry[] {
    return [...this.#sums.values()];
  }
}

/** What the world hears of a change: the items of which there is now more or less to sell. */
export function stockEvents(
  before: ReadonlyMap<string, Pick<Item, 'stockVersion'>>,
  after: readonly Item[],
): EventOf<'stock.changed'>[] {
  return after
    .filter((item) => before.get(item.itemId)?.stockVersion !== item.stockVersion)
    .map((item) => ({
      itemId: item.itemId,
      available: item.removed ? 0 : available(item),
      stockVersion: item.stockVersion,
    }));
}
