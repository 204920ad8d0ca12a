// How moves of orders are written.
//
// W1. What usually happens is written in one statement, without a look at the orders before: the
//     statement is guarded by the status that was foreseen. Whatever it does not find so goes the
//     general way: lock, look, write.
// W2. What is said is planned from the orders as they really were, by the same pure function on
//     both ways; what was foreseen is compared with it.

import assert from 'node:assert/strict';
import type { Transaction } from '@rushlight/chassis';
import {
  beforeMoves,
  type Foreseen,
  foresee,
  freesKey,
  type OrderTopic,
  type Plan,
  planMoves,
} from './moves.ts';
import type { OrderEvent } from './order.ts';
import { type OrderRow, orderOf } from './rows.ts';
import * as sql from './statements.ts';
import type { HistoryStep, Move, StoredOrder } from './store.ts';

type Accepted = ReadonlyMap<string, StoredOrder>;

/** @param accepted orders that need not be read when they are as they were accepted */
export async function applyMoves(
  tx: Transaction,
  moves: readonly Move[],
  atMs: number,
  accepted: Accepted = new Map(),
): Promise<Plan[]> {
  const foreseen = foresee(moves, atMs);
  const found = await Promise.all(foreseen.map((alike) => moveAlike(tx, alike, accepted)));
  const before = found.flat();
  const plan = planMoves(before, moves, atMs);
  assert.equal(plan.changed.length, before.length, 'an order did not move as foreseen');
  await say(tx, plan);
  const done = plan.results;
  const others = done.size === 0 ? moves : moves.filter(({ orderId }) => !done.has(orderId));
  return others.length === 0 ? [plan] : [plan, await applyOneByOne(tx, others, atMs)];
}

/** The general way (W1): right for any orders and events. */
export async function applyOneByOne(
  tx: Transaction,
  moves: readonly Move[],
  atMs: number,
): Promise<Plan> {
  const rows = await tx.query<OrderRow>(sql.lock, [plainList(moves.map(({ orderId }) => orderId))]);
  return planAndWrite(tx, rows.map(orderOf), moves, atMs);
}

/** Moves the orders that a statement finds and locks, by the same event. */
export async function sweep(
  tx: Transaction,
  statement: typeof sql.lockLate,
  values: readonly unknown[],
  event: OrderEvent,
  atMs: number,
): Promise<Plan> {
  const rows = await tx.query<OrderRow>(statement, values);
  // The ranges of two batches may overlap: then an order is found twice.
  const orders = [...new Map(rows.map((row) => [row.order_id, orderOf(row)])).values()];
  const moves = orders.map(({ orderId }): Move => ({ orderId, event }));
  return planAndWrite(tx, orders, moves, atMs);
}

/** Returns the orders that were as foreseen, as they were before. */
async function moveAlike(
  tx: Transaction,
  foreseen: Foreseen,
  accepted: Accepted,
): Promise<StoredOrder[]> {
  const { from, after, steps, orderIds } = foreseen;
  const known = from === 'pending' && orderIds.every((orderId) => accepted.has(orderId));
  const rows = await tx.query<OrderRow>(known ? sql.moveKnown : sql.moveAndRead, [
    plainList(orderIds),
    from,
    after.status,
    after.reason ?? null,
    after.answered ?? null,
    after.history.at(-1)?.atMs,
    textOf(steps),
    freesKey(after),
  ]);
  return rows.map((row) => {
    const before = accepted.get(row.order_id);
    return known && before ? before : beforeMoves(orderOf(row), foreseen);
  });
}

async function planAndWrite(
  tx: Transaction,
  orders: readonly StoredOrder[],
  moves: readonly Move[],
  atMs: number,
): Promise<Plan> {
  const plan = planMoves(orders, moves, atMs);
  const { changed } = plan;
  if (changed.length > 0) {
    await tx.query(sql.move, [
      changed.map(({ order }) => order.orderId),
      changed.map(({ order }) => order.status),
      changed.map(({ order }) => order.reason ?? null),
      changed.map(({ order }) => order.answered ?? null),
      changed.map(({ steps }) => steps.at(-1)?.atMs),
      changed.map(({ steps }) => textOf(steps)),
      changed.map(({ order }) => freesKey(order)),
    ]);
    await say(tx, plan);
  }
  return plan;
}

async function say(tx: Transaction, { emission }: Plan): Promise<void> {
  for (const topic of Object.keys(emission) as OrderTopic[]) {
    await tx.emit(topic, emission[topic] as never);
  }
}

function textOf(steps: readonly HistoryStep[]): string {
  return steps.map((step) => ` ${step.status}:${step.atMs}`).join('');
}

/** Ids or numbers as an array's text: they need none of the care that the driver takes of others. */
export function plainList(values: readonly (string | number)[]): string {
  return `{${values.join()}}`;
}
