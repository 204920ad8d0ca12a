import type { PostgresStore, Statement, Transaction } from '@rushlight/chassis';
import type { OrderStatus } from '@rushlight/contracts';
import type { Plan } from './moves.ts';
import type { OrderEvent } from './order.ts';
import { applyMoves, applyOneByOne, plainList, sweep } from './postgres-moves.ts';
import { type OrderRow, orderOf } from './rows.ts';
import * as sql from './statements.ts';
import {
  type Accepted,
  type KeyUse,
  type MenuItem,
  type NewOrder,
  type OrderStore,
  pendingOrder,
  type StoredOrder,
} from './store.ts';

type OnMoved = (status: OrderStatus, orders: number, reason?: string) => void;

const dayMs = 24 * 3_600_000;

/** @param onMoved told of the steps that were committed, how many orders made them, and why they ended */
export function createPostgresOrderStore(
  store: PostgresStore,
  onMoved: OnMoved = () => {},
): OrderStore {
  return { ...operations(store, onMoved), ...reads(store), ...menu(store), ...retention(store) };
}

type Part<K extends keyof OrderStore> = Pick<OrderStore, K>;

function operations(
  store: PostgresStore,
  onMoved: OnMoved,
): Part<
  'acceptBatch' | 'decideBatch' | 'applyMessages' | 'cancel' | 'sweepPending' | 'sweepDeadlines'
> {
  const moving = async (
    operation: string,
    work: (tx: Transaction) => Promise<Plan[]>,
  ): Promise<Plan[]> => {
    const plans = await store.transaction(operation, work);
    const changed = plans.flatMap((plan) => plan.changed);
    const byStatus = Map.groupBy(
      changed.flatMap(({ steps }) => steps),
      ({ status }) => status,
    );
    const rejected = byStatus.delete('rejected')
      ? changed.filter(({ order }) => order.status === 'rejected')
      : [];
    for (const [status, { length }] of byStatus) onMoved(status, length);
    const byReason = Map.groupBy(rejected, ({ order }) => order.reason);
    for (const [reason, { length }] of byReason) onMoved('rejected', length, reason);
    return plans;
  };
  const sweeping = async (
    operation: string,
    { lock, clear }: { lock: Statement; clear: Statement },
    event: OrderEvent,
    times: { beforeMs: number; atMs: number },
    limit: number,
  ): Promise<number> => {
    const plans = await moving(operation, async (tx) => {
      const plan = await sweep(tx, lock, [times.beforeMs, limit], event, times.atMs);
      if (plan.changed.length < limit) await tx.query(clear, [times.beforeMs]);
      return [plan];
    });
    return plans.reduce((sum, { changed }) => sum + changed.length, 0);
  };
  return {
    acceptBatch: (orders) => acceptBatch(store, orders),
    decideBatch: async (moves, atMs, accepted = []) => {
      const known = new Map(accepted.map((order) => [order.orderId, order]));
      const plans = await moving('decideBatch', (tx) => applyMoves(tx, moves, atMs, known));
      return new Map(plans.flatMap(({ results }) => [...results]));
    },
    applyMessages: async (messages, atMs) => {
      await moving('applyMessages', async (tx) => {
        const fresh = await tx.newOf(messages.map(({ messageId }) => messageId));
        const news = messages.filter(({ messageId }) => fresh.delete(messageId));
        const moves = news.flatMap((message) => message.moves);
        return moves.length === 0 ? [] : applyMoves(tx, moves, atMs);
      });
    },
    cancel: async (orderId, by, atMs) => {
      const event: OrderEvent = { type: 'cancel.asked', by };
      const [plan] = await moving('cancelOrder', async (tx) => {
        const asked = await applyOneByOne(tx, [{ orderId, event }], atMs);
        const { step } = asked.results.get(orderId) ?? {};
        if (step?.kind === 'kitchen decides') await tx.query(sql.noteCancel, [orderId, by]);
        return [asked];
      });
      return plan?.results.get(orderId);
    },
    sweepPending: (beforeMs, atMs, limit) => {
      const statements = { lock: sql.lockPending, clear: sql.nonePending };
      const event: OrderEvent = { type: 'stock.unknown' };
      return sweeping('sweepPending', statements, event, { beforeMs, atMs }, limit);
    },
    sweepDeadlines: (atMs, limit) => {
      const statements = { lock: sql.lockLate, clear: sql.noneUnpaid };
      const event: OrderEvent = { type: 'deadline.passed' };
      return sweeping('sweepDeadlines', statements, event, { beforeMs: atMs, atMs }, limit);
    },
  };
}

async function acceptBatch(store: PostgresStore, orders: readonly NewOrder[]): Promise<Accepted[]> {
  const ids = orders.map((order) => order.orderId);
  const sorted = ids.toSorted();
  type Row = { order_id: string; pickup_number: number };
  const rows = await store.single<Row>('acceptBatch', sql.accept, [
    plainList(ids),
    orders.map((order) => order.studentId),
    orders.map((order) => order.key),
    orders.map((order) => order.fingerprint),
    orders.map((order) => JSON.stringify(order.lines)),
    plainList(orders.map((order) => order.totalCents)),
    plainList(orders.map((order) => order.acceptedAtMs)),
    plainList(orders.map((order) => order.deadlineAtMs)),
    sorted[0],
    sorted.at(-1),
    Math.min(...orders.map((order) => order.acceptedAtMs)),
    Math.min(...orders.map((order) => order.deadlineAtMs)),
  ]);
  const numbers = new Map(rows.map((row) => [row.order_id, row.pickup_number]));
  const others = orders.filter((order) => !numbers.has(order.orderId));
  const known = others.length === 0 ? [] : await findByKeys(store, others);
  const knownOf = new Map(others.map((order, index) => [order.orderId, known[index]]));
  return orders.map((order) => {
    const pickupNumber = numbers.get(order.orderId);
    if (pickupNumber !== undefined) {
      return { kind: 'accepted', order: pendingOrder(order, pickupNumber) };
    }
    const other = knownOf.get(order.orderId);
    return other ? { kind: 'known', order: other } : { kind: 'contended' };
  });
}

async function findByKeys(
  asked: Pick<Transaction, 'query'>,
  keys: readonly Omit<KeyUse, 'fingerprint'>[],
): Promise<(StoredOrder | undefined)[]> {
  const values = [keys.map((use) => use.studentId), keys.map((use) => use.key)];
  const rows = await asked.query<OrderRow & { n: number }>(sql.findByKeys, values);
  const found = new Map(rows.map((row) => [row.n, orderOf(row)]));
  return keys.map((_, index) => found.get(index + 1));
}

function reads(
  store: PostgresStore,
): Part<'findByKeys' | 'find' | 'list' | 'countByStatus' | 'page'> {
  return {
    findByKeys: (keys) => findByKeys(store, keys),
    find: async (orderId) => {
      const [row] = await store.query<OrderRow>(sql.find, [orderId]);
      return row && orderOf(row);
    },
    list: async ({ studentId, before, limit }) => {
      const values = [before ?? null, limit];
      const rows =
        studentId === undefined
          ? await store.query<OrderRow>(sql.list, values)
          : await store.query<OrderRow>(sql.listOfStudent, [...values, studentId]);
      return rows.map(orderOf);
    },
    countByStatus: async () => {
      const rows = await store.query<{ status: OrderStatus; count: number }>(sql.countByStatus);
      return Object.fromEntries(rows.map((row) => [row.status, row.count]));
    },
    page: async (after, limit) =>
      (await store.query<OrderRow>(sql.page, [after ?? null, limit])).map(orderOf),
  };
}

function menu(store: PostgresStore): Part<'saveItems' | 'items'> {
  return {
    saveItems: (messageId, items) =>
      store.transaction('saveItems', async (tx) => {
        if (messageId !== undefined && !(await tx.isNew(messageId))) return;
        await tx.query(sql.saveItems, [
          items.map((item) => item.itemId),
          items.map((item) => item.name),
          items.map((item) => item.priceCents),
          items.map((item) => item.removed),
          items.map((item) => item.version),
        ]);
      }),
    items: async (itemIds) => {
      type Row = { item_id: string; name: string; price_cents: number; version: number };
      const rows = await store.query<Row>(sql.items, [itemIds]);
      return rows.map(
        ({ item_id: itemId, name, price_cents: priceCents, version }): MenuItem => ({
          ...{ itemId, name, priceCents, version },
          category: '',
          removed: false,
        }),
      );
    },
  };
}

function retention(store: PostgresStore): Part<'forget'> {
  return {
    forget: async (keysBeforeMs, ordersBeforeMs, rowsMax) => {
      // Only a day's worth: a key that an outage made us miss is kept longer, which harms nobody.
      const since = firstIdAt(keysBeforeMs - dayMs);
      const freed = await store.query(sql.freeKeys, [firstIdAt(keysBeforeMs), rowsMax, since]);
      const forgotten = await store.query(sql.forget, [firstIdAt(ordersBeforeMs), rowsMax]);
      return freed.length + forgotten.length;
    },
  };
}

/** The smallest UUID of version 7 of this instant: RFC 9562 puts its milliseconds in front. */
function firstIdAt(atMs: number): string {
  const hex = Math.max(0, Math.trunc(atMs)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
