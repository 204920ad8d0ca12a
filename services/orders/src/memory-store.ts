// The same operations in memory, for tests and simulations of the protocol.

import type { MemoryLedger } from '@rushlight/chassis';
import type { CancelReason, EventOf, OrderStatus } from '@rushlight/contracts';
import { freesKey, type OrderTopic, planMoves } from './moves.ts';
import { isUnpaid, type OrderEvent } from './order.ts';
import {
  type Accepted,
  type KeyUse,
  type MenuItem,
  type Move,
  type Moved,
  type MovesOfMessage,
  type NewOrder,
  type OrderStore,
  pendingOrder,
  type StoredOrder,
} from './store.ts';

type Kept = {
  order: StoredOrder;
  key: string | undefined;
  acceptedAtMs: number;
  deadlineAtMs: number;
};
type MemoryTransaction = Parameters<Parameters<MemoryLedger['transaction']>[1]>[0];

const pickupNumberMax = 9_999;

export class MemoryOrderStore implements OrderStore {
  readonly #ledger: MemoryLedger;
  readonly #orders = new Map<string, Kept>();
  readonly #keys = new Map<string, string>();
  readonly #menu = new Map<string, MenuItem>();
  #accepted = 0;

  constructor(ledger: MemoryLedger) {
    this.#ledger = ledger;
  }

  acceptBatch(batch: readonly NewOrder[]): Promise<Accepted[]> {
    return this.#ledger.transaction('acceptBatch', (tx) => {
      const taken = new Map<string, StoredOrder>();
      return batch.map((given) => this.#acceptOne(tx, given, taken));
    });
  }

  decideBatch(moves: readonly Move[], atMs: number): Promise<Map<string, Moved>> {
    return this.#ledger.transaction('decideBatch', (tx) => this.#applyMoves(tx, moves, atMs));
  }

  applyMessages(messages: readonly MovesOfMessage[], atMs: number): Promise<void> {
    return this.#ledger.transaction('applyMessages', (tx) => {
      const fresh = messages.filter(({ messageId }) => tx.isNew(messageId));
      this.#applyMoves(
        tx,
        fresh.flatMap(({ moves }) => moves),
        atMs,
      );
    });
  }

  cancel(orderId: string, by: CancelReason, atMs: number): Promise<Moved | undefined> {
    return this.#ledger.transaction('cancelOrder', (tx) => {
      const event: OrderEvent = { type: 'cancel.asked', by };
      const result = this.#applyMoves(tx, [{ orderId, event }], atMs).get(orderId);
      if (result?.step.kind === 'kitchen decides') {
        tx.change(() => {
          const kept = this.#orders.get(orderId);
          if (kept) kept.order = { ...kept.order, cancelBy: kept.order.cancelBy ?? by };
        });
      }
      return result;
    });
  }

  sweepPending(acceptedBeforeMs: number, atMs: number, limit: number): Promise<number> {
    const isStuck = ({ order, acceptedAtMs }: Kept): boolean =>
      order.status === 'pending' && acceptedAtMs < acceptedBeforeMs;
    return this.#sweep('sweepPending', isStuck, { type: 'stock.unknown' }, atMs, limit);
  }

  sweepDeadlines(atMs: number, limit: number): Promise<number> {
    const isLate = ({ order, deadlineAtMs }: Kept): boolean =>
      isUnpaid(order.status) && deadlineAtMs < atMs;
    return this.#sweep('sweepDeadlines', isLate, { type: 'deadline.passed' }, atMs, limit);
  }

  async findByKeys(uses: readonly KeyUse[]): Promise<(StoredOrder | undefined)[]> {
    return uses.map((use) => this.#findByKey(use));
  }

  async find(orderId: string): Promise<StoredOrder | undefined> {
    return this.#orders.get(orderId)?.order;
  }

  async list(filter: {
    studentId?: string;
    before?: string;
    limit: number;
  }): Promise<StoredOrder[]> {
    const { studentId, before, limit } = filter;
    return this.#sorted()
      .map((kept) => kept.order)
      .filter((order) => studentId === undefined || order.studentId === studentId)
      .filter((order) => before === undefined || order.orderId < before)
      .reverse()
      .slice(0, limit);
  }

  async countByStatus(): Promise<Partial<Record<OrderStatus, number>>> {
    const counts: Partial<Record<OrderStatus, number>> = {};
    for (const { order } of this.#orders.values()) {
      counts[order.status] = (counts[order.status] ?? 0) + 1;
    }
    return counts;
  }

  async page(after: string | undefined, limit: number): Promise<StoredOrder[]> {
    return this.#sorted()
      .map((kept) => kept.order)
      .filter((order) => after === undefined || order.orderId > after)
      .slice(0, limit);
  }

  saveItems(messageId: string | undefined, items: readonly MenuItem[]): Promise<void> {
    return this.#ledger.transaction('saveItems', (tx) => {
      if (messageId !== undefined && !tx.isNew(messageId)) return;
      for (const item of items) {
        tx.change(() => {
          const known = this.#menu.get(item.itemId)?.version ?? -1;
          if (item.version > known) this.#menu.set(item.itemId, item);
        });
      }
    });
  }

  async items(itemIds: readonly string[]): Promise<MenuItem[]> {
    return itemIds
      .flatMap((id) => this.#menu.get(id) ?? [])
      .filter((item) => !item.removed)
      .map((item) => ({ ...item, category: '' }));
  }

  async forget(keysBeforeMs: number, ordersBeforeMs: number, rowsMax: number): Promise<number> {
    const sorted = this.#sorted();
    const old = sorted.filter((kept) => kept.key && kept.acceptedAtMs < keysBeforeMs);
    for (const kept of old.slice(0, rowsMax)) this.#freeKey(kept);
    const ended = sorted.filter(
      ({ order, acceptedAtMs }) => acceptedAtMs < ordersBeforeMs && !isUnpaid(order.status),
    );
    for (const { order } of ended.slice(0, rowsMax)) this.#orders.delete(order.orderId);
    return Math.min(old.length, rowsMax) + Math.min(ended.length, rowsMax);
  }

  #acceptOne(tx: MemoryTransaction, given: NewOrder, taken: Map<string, StoredOrder>): Accepted {
    const known = this.#findByKey(given) ?? taken.get(keyOf(given));
    if (known) return { kind: 'known', order: known };
    const order = pendingOrder(given, 1 + (this.#accepted++ % pickupNumberMax));
    taken.set(keyOf(given), order);
    const { key, acceptedAtMs, deadlineAtMs } = given;
    tx.change(() => {
      this.#orders.set(order.orderId, { order, key, acceptedAtMs, deadlineAtMs });
      this.#keys.set(keyOf(given), order.orderId);
    });
    return { kind: 'accepted', order };
  }

  #sweep(
    operation: string,
    isChosen: (kept: Kept) => boolean,
    event: OrderEvent,
    atMs: number,
    limit: number,
  ): Promise<number> {
    return this.#ledger.transaction(operation, (tx) => {
      const chosen = this.#sorted().filter(isChosen).slice(0, limit);
      const moves = chosen.map(({ order }) => ({ orderId: order.orderId, event }));
      return this.#applyMoves(tx, moves, atMs).size;
    });
  }

  #applyMoves(tx: MemoryTransaction, moves: readonly Move[], atMs: number): Map<string, Moved> {
    const ids = new Set(moves.map((move) => move.orderId));
    const orders = [...ids].flatMap((id) => this.#orders.get(id)?.order ?? []);
    const plan = planMoves(orders, moves, atMs);
    for (const { order } of plan.changed) {
      tx.change(() => {
        const kept = this.#orders.get(order.orderId);
        if (!kept) return;
        kept.order = order;
        if (freesKey(order)) this.#freeKey(kept);
      });
    }
    for (const topic of Object.keys(plan.emission) as OrderTopic[]) {
      tx.emit(topic, plan.emission[topic] as EventOf<OrderTopic>[]);
    }
    return plan.results;
  }

  #freeKey(kept: Kept): void {
    if (kept.key === undefined) return;
    this.#keys.delete(keyOf({ studentId: kept.order.studentId, key: kept.key }));
    kept.key = undefined;
  }

  #findByKey(use: Pick<KeyUse, 'studentId' | 'key'>): StoredOrder | undefined {
    return this.#orders.get(this.#keys.get(keyOf(use)) ?? '')?.order;
  }

  #sorted(): Kept[] {
    return [...this.#orders.values()].sort((a, b) => (a.order.orderId < b.order.orderId ? -1 : 1));
  }
}

function keyOf(use: Pick<KeyUse, 'studentId' | 'key'>): string {
  return `${use.studentId}\n${use.key}`;
}
