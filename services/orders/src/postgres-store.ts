import type { PostgresStore, Transaction } from '@rushlight/chassis';
import type { CancelReason, OrderStatus, PricedLine } from '@rushlight/contracts';
import { freesKey, type OrderTopic, type Plan, planMoves } from './moves.ts';
import { isUnpaid, type OrderEvent } from './order.ts';
import * as sql from './statements.ts';
import {
  type Accepted,
  type HistoryStep,
  type KeyUse,
  type MenuItem,
  type Move,
  type NewOrder,
  type OrderStore,
  pendingOrder,
  type StoredOrder,
} from './store.ts';

type OrderRow = {
  order_id: string;
  student_id: string;
  fingerprint: string;
  lines: string;
  total_cents: number;
  pickup_number: number;
  status: OrderStatus;
  reason: string | null;
  history: string;
  answered: OrderStatus | null;
  cancel_by: CancelReason | null;
};

const dayMs = 24 * 3_600_000;

/** @param onMoved told of every step that was committed */
export function createPostgresOrderStore(
  store: PostgresStore,
  onMoved: (status: OrderStatus) => void = () => {},
): OrderStore {
  return { ...operations(store, onMoved), ...reads(store), ...menu(store), ...retention(store) };
}

type Part<K extends keyof OrderStore> = Pick<OrderStore, K>;

function operations(
  store: PostgresStore,
  onMoved: (status: OrderStatus) => void,
): Part<
  'acceptBatch' | 'decideBatch' | 'applyMessage' | 'cancel' | 'sweepPending' | 'sweepDeadlines'
> {
  const moving = async (
    operation: string,
    work: (tx: Transaction) => Promise<Plan>,
  ): Promise<Plan> => {
    const plan = await store.transaction(operation, work);
    for (const { steps } of plan.changed) for (const { status } of steps) onMoved(status);
    return plan;
  };
  return {
    acceptBatch: (orders) => store.transaction('acceptBatch', (tx) => acceptBatch(tx, orders)),
    decideBatch: async (moves, atMs) =>
      (await moving('decideBatch', (tx) => applyMoves(tx, moves, atMs))).results,
    applyMessage: async (messageId, moves, atMs) => {
      await moving('applyMessage', async (tx) =>
        applyMoves(tx, (await tx.isNew(messageId)) ? moves : [], atMs),
      );
    },
    cancel: async (orderId, by, atMs) => {
      const event: OrderEvent = { type: 'cancel.asked', by };
      const { results } = await moving('cancelOrder', async (tx) => {
        const plan = await applyMoves(tx, [{ orderId, event }], atMs);
        const { step } = plan.results.get(orderId) ?? {};
        if (step?.kind === 'kitchen decides') await tx.query(sql.noteCancel, [orderId, by]);
        return plan;
      });
      return results.get(orderId);
    },
    sweepPending: async (acceptedBeforeMs, atMs, limit) => {
      const values = [acceptedBeforeMs, limit];
      const plan = await moving('sweepPending', (tx) =>
        sweep(tx, sql.lockPending, values, { type: 'stock.unknown' }, atMs),
      );
      return plan.changed.length;
    },
    sweepDeadlines: async (atMs, limit) => {
      const plan = await moving('sweepDeadlines', (tx) =>
        sweep(tx, sql.lockLate, [atMs, limit], { type: 'deadline.passed' }, atMs),
      );
      return plan.changed.length;
    },
  };
}

async function acceptBatch(tx: Transaction, orders: readonly NewOrder[]): Promise<Accepted[]> {
  const rows = await tx.query<{ order_id: string; pickup_number: number }>(sql.accept, [
    orders.map((order) => order.orderId),
    orders.map((order) => order.studentId),
    orders.map((order) => order.key),
    orders.map((order) => order.fingerprint),
    orders.map((order) => JSON.stringify(order.lines)),
    orders.map((order) => order.totalCents),
    orders.map((order) => order.acceptedAtMs),
    orders.map((order) => order.deadlineAtMs),
  ]);
  const numbers = new Map(rows.map((row) => [row.order_id, row.pickup_number]));
  const others = orders.filter((order) => !numbers.has(order.orderId));
  const known = others.length === 0 ? [] : await findByKeys(tx, others);
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

async function applyMoves(tx: Transaction, moves: readonly Move[], atMs: number): Promise<Plan> {
  if (moves.length === 0) return planMoves([], [], atMs);
  const rows = await tx.query<OrderRow>(sql.lock, [moves.map((move) => move.orderId)]);
  const plan = planMoves(rows.map(orderOf), moves, atMs);
  await write(tx, plan);
  return plan;
}

async function sweep(
  tx: Transaction,
  statement: typeof sql.lockLate,
  values: readonly unknown[],
  event: OrderEvent,
  atMs: number,
): Promise<Plan> {
  const orders = (await tx.query<OrderRow>(statement, values)).map(orderOf);
  const moves = orders.map(({ orderId }): Move => ({ orderId, event }));
  const plan = planMoves(orders, moves, atMs);
  await write(tx, plan);
  return plan;
}

async function write(tx: Transaction, { changed, emission }: Plan): Promise<void> {
  if (changed.length === 0) return;
  await tx.query(sql.move, [
    changed.map(({ order }) => order.orderId),
    changed.map(({ order }) => order.status),
    changed.map(({ order }) => order.reason ?? null),
    changed.map(({ order }) => order.answered ?? null),
    changed.map(({ order }) => isUnpaid(order.status)),
    changed.map(({ steps }) => steps.map((step) => ` ${step.status}:${step.atMs}`).join('')),
    changed.map(({ order }) => freesKey(order)),
  ]);
  for (const topic of Object.keys(emission) as OrderTopic[]) {
    await tx.emit(topic, emission[topic] as never);
  }
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

function orderOf(row: OrderRow): StoredOrder {
  return {
    orderId: row.order_id,
    studentId: row.student_id,
    fingerprint: row.fingerprint,
    lines: JSON.parse(row.lines) as PricedLine[],
    totalCents: row.total_cents,
    pickupNumber: row.pickup_number,
    status: row.status,
    reason: row.reason ?? undefined,
    history: row.history.split(' ').map(historyStep),
    answered: row.answered ?? undefined,
    cancelBy: row.cancel_by ?? undefined,
  };
}

function historyStep(text: string): HistoryStep {
  const colon = text.indexOf(':');
  return { status: text.slice(0, colon) as OrderStatus, atMs: Number(text.slice(colon + 1)) };
}
