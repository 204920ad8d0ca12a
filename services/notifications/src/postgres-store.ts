// Notifications on Postgres.

import type { PostgresStore, Transaction } from '@rushlight/chassis';
import * as sql from './statements.ts';
import { inTimeOrder } from './steps.ts';
import {
  type MenuState,
  menuData,
  type OrderStep,
  orderData,
  type StreamRow,
  type StreamStore,
  type TakenMessage,
} from './store.ts';

type EventRow = {
  id: number;
  kind: 'order' | 'menu';
  student_id: string | null;
  order_id: string | null;
  status: string | null;
  pickup_number: number | null;
  step_at_ms: number | null;
  reason: string | null;
  ready_at_ms: number | null;
  /** Of the menu, and of orders as they were kept once. */
  data: string | null;
};

type MenuRow = {
  item_id: string;
  available: number | null;
  name: string | null;
  category: string | null;
  price_cents: number | null;
  removed: boolean | null;
};

export function createPostgresStreamStore(store: PostgresStore): StreamStore {
  return {
    take: (messages, nowMs) =>
      store.transaction('take', async (tx) => {
        const fresh = await newOnes(tx, messages);
        const stock = fresh.flatMap((message) => message.stock);
        const items = fresh.flatMap((message) => message.items);
        const steps = inTimeOrder(fresh.flatMap((message) => message.steps));
        // The head is locked last: whoever waits for it holds up nobody who does not need it.
        await Promise.all([
          stock.length > 0 ? addStock(tx, stock) : undefined,
          items.length > 0 ? addItems(tx, items) : undefined,
          steps.length > 0 ? addOrderSteps(tx, steps, nowMs) : undefined,
        ]);
      }),
    tellMenu: (nowMs) =>
      store.transaction('tellMenu', async (tx) => {
        const rows = await tx.query<MenuRow>(sql.takeDirtyItems);
        if (rows.length === 0) return 0;
        const data = rows.map((row) => menuData(stateOf(row)));
        await tx.query(sql.addMenuEvents, [rows.length, data, nowMs]);
        return rows.length;
      }),
    read: async (after, upTo, limit, { studentId, orderId }) => {
      const values = [after, upTo, limit, studentId ?? null, orderId ?? null];
      return (await store.query<EventRow>(sql.read, values)).map(rowOf);
    },
    bounds: async () => {
      const [row] = await store.query<{ last_id: number; forgotten_id: number }>(sql.bounds);
      return { headId: row?.last_id ?? 0, forgottenId: row?.forgotten_id ?? 0 };
    },
    ownerOf: async (orderId) => {
      const [row] = await store.query<{ student_id: string }>(sql.ownerOf, [orderId]);
      return row?.student_id;
    },
    sendMessages: (limit, statuses, send) =>
      store.transaction('sendMessages', (tx) => sendNext(tx, limit, statuses, send)),
    forget: (beforeMs, rowsMax) =>
      store.transaction('forgetEvents', async (tx) => {
        const rows = await tx.query<{ id: number }>(sql.forget, [beforeMs, rowsMax]);
        const newest = Math.max(0, ...rows.map((row) => row.id));
        if (newest > 0) await tx.query(sql.rememberForgotten, [newest]);
        return rows.length;
      }),
  };
}

/** Those of these messages that were not seen before, each once. */
async function newOnes(
  tx: Transaction,
  messages: readonly TakenMessage[],
): Promise<TakenMessage[]> {
  const fresh = await tx.newOf(messages.map(({ messageId }) => messageId));
  return messages.filter(({ messageId }) => fresh.delete(messageId));
}

async function sendNext(
  tx: Transaction,
  limit: number,
  statuses: readonly string[],
  send: (rows: readonly StreamRow[]) => Promise<void>,
): Promise<number> {
  const [[place], [head]] = await Promise.all([
    tx.query<{ last_id: number }>(sql.lockMessages),
    tx.query<{ last_id: number }>(sql.bounds),
  ]);
  if (!place || !head || head.last_id === place.last_id) return 0;
  const values = [place.last_id, head.last_id, limit, statuses];
  const rows = await tx.query<EventRow>(sql.nextMessages, values);
  if (rows.length > 0) await send(rows.map(rowOf));
  // Up to the head nothing more is to come: ids are given in the order of commits.
  const lastId = rows.length === limit ? rows.at(-1)?.id : head.last_id;
  await tx.query(sql.advanceMessages, [lastId]);
  return rows.length;
}

function addStock(tx: Transaction, changes: TakenMessage['stock']): Promise<unknown> {
  return tx.query(sql.addStock, [
    changes.map((change) => change.itemId),
    changes.map((change) => change.available),
    changes.map((change) => change.stockVersion),
  ]);
}

function addItems(tx: Transaction, changes: TakenMessage['items']): Promise<unknown> {
  return tx.query(sql.addItems, [
    changes.map((change) => change.itemId),
    changes.map((change) => change.name),
    changes.map((change) => change.category),
    changes.map((change) => change.priceCents),
    changes.map((change) => change.removed),
    changes.map((change) => change.version),
  ]);
}

function addOrderSteps(
  tx: Transaction,
  steps: readonly OrderStep[],
  nowMs: number,
): Promise<unknown> {
  return tx.query(sql.addOrderSteps, [
    steps.length,
    steps.map((step) => step.studentId),
    steps.map((step) => step.orderId),
    steps.map((step) => step.status),
    steps.map((step) => step.pickupNumber),
    steps.map((step) => step.atMs),
    steps.map((step) => step.reason ?? null),
    steps.map((step) => step.readyAtMs ?? null),
    nowMs,
  ]);
}

function rowOf(row: EventRow): StreamRow {
  const { id, kind, student_id: studentId, order_id: orderId, status } = row;
  const data = row.data ?? orderData(stepOf(row));
  return { id, kind, studentId, orderId, status, data };
}

function stepOf(row: EventRow): OrderStep {
  return {
    orderId: row.order_id ?? '',
    studentId: row.student_id ?? '',
    status: row.status as OrderStep['status'],
    pickupNumber: row.pickup_number ?? 0,
    atMs: row.step_at_ms ?? 0,
    reason: (row.reason ?? undefined) as OrderStep['reason'],
    readyAtMs: row.ready_at_ms ?? undefined,
  };
}

function stateOf(row: MenuRow): MenuState {
  const { item_id: itemId, available, name, category, price_cents: priceCents, removed } = row;
  return { itemId, available, name, category, priceCents, removed };
}
