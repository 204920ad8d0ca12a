// What an admin does to the menu. Each is one pure function of the item as it is now.
//
// An item that was removed keeps its row: its holds are still served, and its ledger goes on. Adding
// its id again revives it, with the new name, category, price and stock.

import { available, bookAll, type Change, type Entry, type Item, noChange } from './stock.ts';

export type NewItem = {
  itemId: string;
  name: string;
  category: string;
  priceCents: number;
  stock: number;
};

export type ItemEdit = {
  version: number;
  name?: string | undefined;
  priceCents?: number | undefined;
  addStock?: number | undefined;
  setStock?: number | undefined;
};

/** More than this of one item is a slip of the finger, and would not fit the database's integers. */
export const onHandMax = 1_000_000_000;

export type EditOutcome =
  | { kind: 'done'; item: Item; change: Change }
  | { kind: 'taken' }
  | { kind: 'unknown' }
  | { kind: 'stale'; current: number }
  | { kind: 'short'; available: number; wanted: number }
  | { kind: 'too_much' };

export function addItem(current: Item | undefined, wanted: NewItem): EditOutcome {
  const { itemId, name, category, priceCents, stock } = wanted;
  if (current && !current.removed) return { kind: 'taken' };
  const described = { itemId, name, category, priceCents, removed: false };
  if (!current) {
    const blank = { version: 1, initial: 0, added: 0, sold: 0, onHand: 0, reserved: 0 };
    const item: Item = { ...described, ...blank, stockVersion: 0 };
    return write(item, { itemId, kind: 'initial', quantity: stock });
  }
  const revived = { ...current, ...described, version: current.version + 1 };
  return write(revived, { itemId, kind: 'added', quantity: stock - available(current) });
}

export function editItem(current: Item | undefined, edit: ItemEdit): EditOutcome {
  if (!current || current.removed) return { kind: 'unknown' };
  if (current.version !== edit.version) return { kind: 'stale', current: current.version };
  const { itemId } = current;
  const free = available(current);
  const delta = edit.setStock === undefined ? (edit.addStock ?? 0) : edit.setStock - free;
  if (free + delta < 0) return { kind: 'short', available: free, wanted: -delta };
  if (current.onHand + delta > onHandMax) return { kind: 'too_much' };
  const edited: Item = {
    ...current,
    name: edit.name ?? current.name,
    priceCents: edit.priceCents ?? current.priceCents,
    version: current.version + 1,
  };
  if (delta === 0) return { kind: 'done', item: edited, change: { ...noChange, items: [edited] } };
  return write(edited, { itemId, kind: 'added', quantity: delta });
}

/** Its stock stays in the books; `stock.changed` says that nothing of it can be had any more. */
export function removeItem(current: Item | undefined): EditOutcome {
  if (!current || current.removed) return { kind: 'unknown' };
  const { version, stockVersion } = current;
  const item = {
    ...current,
    removed: true,
    version: version + 1,
    stockVersion: stockVersion + 1,
  };
  return { kind: 'done', item, change: { ...noChange, items: [item] } };
}

/** `described` is the item with its new description and its old balances. */
function write(described: Item, entry: Entry): EditOutcome {
  const [booked] = bookAll(new Map([[described.itemId, described]]), [entry]);
  if (!booked) return { kind: 'unknown' };
  // Who revives or makes an item must be heard, also when the number is what it was before.
  const stockVersion = described.stockVersion + 1;
  const item = { ...booked, stockVersion };
  return { kind: 'done', item, change: { ...noChange, items: [item], entries: [entry] } };
}
