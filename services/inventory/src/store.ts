// The named atomic operations of inventory. Each is one transaction: inbox, effect and outbox
// together. Two stores implement them, Postgres and memory, and one conformance suite holds both.

import type { EventOf, Message } from '@rushlight/contracts';
import type { EditOutcome, ItemEdit, NewItem } from './edit-item.ts';
import type { ReserveAnswer, ReserveRequest } from './reserve.ts';
import type { Hold, Item } from './stock.ts';

export interface InventoryStore {
  /**
   * Puts these items on the menu unless a seed of this name was sown before. Items whose id exists
   * stay as they are. True when it was sown now.
   */
  seed(name: string, items: readonly NewItem[]): Promise<boolean>;
  /** Every item, removed ones too, by id. */
  items(): Promise<Item[]>;
  item(itemId: string): Promise<Item | undefined>;

  /** Reserves a batch; one answer per request, in their order. Short leaves nothing behind. */
  reserveBatch(cause: string, requests: readonly ReserveRequest[]): Promise<ReserveAnswer[]>;
  /** The same for orders that came over the bus: short is final, and `stock.decided` is emitted. */
  reserveQueued(message: Message<'order.queued'>): Promise<Decisions>;
  /**
   * Sells what the orders of these messages reserved, all in one transaction. Returns the orders
   * that have no hold: there should be none.
   */
  commitPaid(messages: readonly Message<'order.paid'>[]): Promise<{ unknown: string[] }>;
  /** Gives back what these ended orders hold, where their event says that they may. */
  releaseEnded(message: Message<'order.rejected' | 'order.cancelled'>): Promise<void>;

  addItem(cause: string, wanted: NewItem): Promise<EditOutcome>;
  editItem(cause: string, itemId: string, edit: ItemEdit): Promise<EditOutcome>;
  removeItem(cause: string, itemId: string): Promise<EditOutcome>;

  /** Sums, what breaks the rules, and a page of holds by order id. */
  audit(page: { after: string | undefined; limit: number }): Promise<StockAudit>;
  /**
   * Forgets holds that ended, and rolls up ledger entries, from before this instant: at most
   * `limit` of each. Returns how many rows went.
   */
  forget(beforeMs: number, limit: number): Promise<number>;
}

export type Decisions = readonly EventOf<'stock.decided'>[];

export type Violation = { rule: string; subject: string; detail: string };

export type StockAudit = {
  items: Item[];
  holds: Hold[];
  violations: Violation[];
  /** The id to go on after, when there are more holds. */
  next: string | undefined;
};

/** What the bus hears of an order that came over the bus. */
export function decisionsOf(answers: readonly ReserveAnswer[]): Decisions {
  const outcomes = new Map<string, EventOf<'stock.decided'>>();
  for (const { orderId, outcome } of answers) {
    const decided = outcome === 'reserved' ? 'reserved' : 'short';
    if (!outcomes.has(orderId)) outcomes.set(orderId, { orderId, outcome: decided });
  }
  return [...outcomes.values()];
}

/** What the bus hears of an item that was added, edited or removed. */
export function itemChanged(item: Item): EventOf<'item.changed'> {
  const { itemId, name, category, priceCents, removed, version } = item;
  return { itemId, name, category, priceCents, removed, version };
}

/** The orders of these ended ones for which stock may be held. */
export function toRelease(message: Message<'order.rejected' | 'order.cancelled'>): string[] {
  const { events } = message;
  return events.filter((event) => event.release).map((event) => event.orderId);
}
