// Inventory in memory: the same operations, decided by the same functions. The simulation runs the
// real protocol on it. An operation takes effect in one step, without a pause inside.

import type { EventOf, Topic } from '@rushlight/contracts';
import { findViolations } from './audit.ts';
import { addItem, type EditOutcome, editItem, removeItem } from './edit-item.ts';
import { type ReserveRequest, reserve } from './reserve.ts';
import { commit, release } from './settle.ts';
import { type Change, type Entry, type Hold, type Item, stockEvents } from './stock.ts';
import type { OnChange } from './stock-counts.ts';
import {
  decisionsOf,
  type InventoryStore,
  itemChanged,
  type StockAudit,
  toRelease,
} from './store.ts';

/** Takes the place of the outbox. Called once per topic and operation, when it has taken effect. */
export type Emit = <T extends Topic>(topic: T, events: readonly EventOf<T>[]) => void;

export function createMemoryStore(
  emit: Emit,
  nowMs: () => number,
  onChange: OnChange = () => {},
): InventoryStore {
  const books = new Books(emit, nowMs, onChange);
  return {
    seed: async (name, items) => {
      if (books.seeds.has(name)) return false;
      books.seeds.add(name);
      const made = items.filter(({ itemId }) => !books.items.has(itemId));
      const outcomes = made.map((dish) => books.edit(dish.itemId, (item) => addItem(item, dish)));
      const changed = outcomes.flatMap((done) => (done.kind === 'done' ? [done.item] : []));
      if (changed.length > 0) emit('item.changed', changed.map(itemChanged));
      return true;
    },
    items: async () => books.allItems(),
    item: async (itemId) => books.items.get(itemId),
    reserveBatch: async (_, requests) => books.reserve(requests, false),
    reserveQueued: async ({ id, events }) => {
      if (!books.isNew(id)) return [];
      const decisions = decisionsOf(books.reserve(events, true));
      emit('stock.decided', decisions);
      return decisions;
    },
    commitPaid: async (messages) => {
      const fresh = messages.filter(({ id }) => books.isNew(id));
      const orderIds = fresh.flatMap(({ events }) => events.map((event) => event.orderId));
      const { change, unknown } = commit(books.items, books.holds, orderIds);
      books.write(change);
      return { unknown };
    },
    releaseEnded: async (message) => {
      const orderIds = toRelease(message);
      if (orderIds.length === 0 || !books.isNew(message.id)) return;
      books.write(release(books.items, books.holds, orderIds));
    },
    addItem: async (_, dish) => books.editAndTell(dish.itemId, (item) => addItem(item, dish)),
    editItem: async (_, itemId, edit) => books.editAndTell(itemId, (item) => editItem(item, edit)),
    removeItem: async (_, itemId) => books.editAndTell(itemId, removeItem),
    audit: async ({ after, limit }) => books.audit(after, limit),
    forget: async (beforeMs, limit) => books.forget(beforeMs, limit),
  };
}

type KeptHold = Hold & { createdAtMs: number };

class Books {
  readonly items = new Map<string, Item>();
  readonly holds = new Map<string, KeptHold>();
  readonly ledger: (Omit<Entry, 'kind'> & { kind: string })[] = [];
  readonly seeds = new Set<string>();
  readonly #inbox = new Set<string>();
  readonly #emit: Emit;
  readonly #nowMs: () => number;
  readonly #onChange: OnChange;

  constructor(emit: Emit, nowMs: () => number, onChange: OnChange) {
    this.#emit = emit;
    this.#nowMs = nowMs;
    this.#onChange = onChange;
  }

  isNew(messageId: string): boolean {
    if (this.#inbox.has(messageId)) return false;
    this.#inbox.add(messageId);
    return true;
  }

  allItems(): Item[] {
    return [...this.items.values()].sort((a, b) => (a.itemId < b.itemId ? -1 : 1));
  }

  reserve(requests: readonly ReserveRequest[], shortIsFinal: boolean) {
    const statuses = new Map([...this.holds].map(([orderId, { status }]) => [orderId, status]));
    const { answers, change } = reserve(this.items, statuses, requests, shortIsFinal);
    this.write(change);
    return answers;
  }

  write(change: Change): void {
    const { items, newHolds, movedHolds, entries } = change;
    const events = stockEvents(this.items, items);
    for (const item of items) this.items.set(item.itemId, item);
    const createdAtMs = this.#nowMs();
    for (const hold of newHolds) this.holds.set(hold.orderId, { ...hold, createdAtMs });
    for (const { orderId, status } of movedHolds) {
      const hold = this.holds.get(orderId);
      if (hold) this.holds.set(orderId, { ...hold, status });
    }
    this.ledger.push(...entries);
    if (events.length > 0) this.#emit('stock.changed', events);
    this.#onChange(change);
  }

  edit(itemId: string, decide: (current: Item | undefined) => EditOutcome): EditOutcome {
    const outcome = decide(this.items.get(itemId));
    if (outcome.kind === 'done') this.write(outcome.change);
    return outcome;
  }

  editAndTell(itemId: string, decide: (current: Item | undefined) => EditOutcome): EditOutcome {
    const outcome = this.edit(itemId, decide);
    if (outcome.kind === 'done') this.#emit('item.changed', [itemChanged(outcome.item)]);
    return outcome;
  }

  audit(after: string | undefined, limit: number): StockAudit {
    const found = [...this.holds.values()]
      .filter(({ orderId }) => after === undefined || orderId > after)
      .sort((a, b) => (a.orderId < b.orderId ? -1 : 1))
      .map(({ orderId, status, lines }) => ({ orderId, status, lines }));
    const holds = found.slice(0, limit);
    const next = found.length > limit ? holds.at(-1)?.orderId : undefined;
    const items = this.allItems();
    if (after !== undefined) return { items, holds, violations: [], next };
    const held = [...this.holds.values()].flatMap(({ status, lines }) =>
      lines.map(({ itemId, quantity }) => ({ itemId, kind: status, quantity })),
    );
    return { items, holds, violations: findViolations(items, sum(this.ledger), sum(held)), next };
  }

  forget(beforeMs: number, limit: number): number {
    const gone = [...this.holds.values()]
      .filter(({ status, createdAtMs }) => status !== 'reserved' && createdAtMs < beforeMs)
      .slice(0, limit);
    for (const { orderId, status, lines } of gone) {
      this.holds.delete(orderId);
      if (status !== 'committed') continue;
      this.ledger.push(...lines.map((line) => ({ ...line, kind: 'archived' })));
    }
    return gone.length;
  }
}

function sum(entries: readonly { itemId: string; kind: string; quantity: number }[]) {
  const sums = new Map<string, Record<string, number>>();
  for (const { itemId, kind, quantity } of entries) {
    const kinds = sums.get(itemId) ?? {};
    sums.set(itemId, { ...kinds, [kind]: (kinds[kind] ?? 0) + quantity });
  }
  return sums;
}
