// What the shop says of itself at the end, read from its tables.

import type { Evidence, MoneyMove, Replay } from '@rushlight/auditor';
import { orderIdOf } from '@rushlight/payments/protocol';
import type { Plan } from './clients/order-plan.ts';
import type { Shop } from './shop/shop.ts';

const everything = 1_000_000;

export async function collectEvidence(
  shop: Shop,
  plan: Plan,
  read: { entrySums: readonly number[]; replays: readonly Replay[] },
): Promise<Evidence> {
  const { inventoryStore, kitchenStore, streamStore } = shop;
  const { holds } = await inventoryStore.audit({ after: undefined, limit: everything });
  const rows = await streamStore.read(0, everything, everything, {});
  return {
    items: await itemBooks(shop),
    orders: await orderRecords(shop, plan),
    provider: await providerMoves(shop),
    mirror: await mirrorMoves(shop, plan),
    entrySums: read.entrySums,
    // What a top-up changed may have come before or after a charge: then nobody can say.
    ...(plan.topUps.length === 0 ? { wallets: walletsOf(plan), declines: shop.declines } : {}),
    holds: holds.map(({ orderId, status }) => ({ orderId, status: holdStatus[status] })),
    stockMoves: shop.stockMoves,
    tickets: await kitchenStore.page(undefined, everything),
    notices: rows.flatMap(({ orderId, status }) =>
      orderId === null || status === null ? [] : [{ orderId, status }],
    ),
    replays: read.replays,
  };
}

function walletsOf({ students }: Plan): Evidence['wallets'] {
  return students.map(({ studentId, openingCents }) => ({ student: studentId, openingCents }));
}

const holdStatus = { reserved: 'held', committed: 'sold', released: 'released' } as const;

async function itemBooks({ inventoryStore }: Shop): Promise<Evidence['items']> {
  const items = await inventoryStore.items();
  return items.map(({ itemId, initial, added, sold, reserved, onHand }) => ({
    ...{ itemId, initial, added, sold },
    held: reserved,
    left: onHand - reserved,
  }));
}

async function orderRecords({ orderStore }: Shop, plan: Plan): Promise<Evidence['orders']> {
  const uses = plan.orders.map(({ student, key }) => ({
    studentId: student,
    key,
    fingerprint: '',
  }));
  const found = await orderStore.findByKeys(uses);
  const keys = new Map(found.map((order, index) => [order?.orderId, uses[index]?.key]));
  const orders = await orderStore.page(undefined, everything);
  return orders.map((order) => ({
    orderId: order.orderId,
    student: order.studentId,
    key: keys.get(order.orderId),
    lines: order.lines.map(({ itemId, quantity }) => ({ itemId, quantity })),
    totalCents: order.totalCents,
    status: order.status,
    reason: order.reason,
    history: order.history,
  }));
}

async function providerMoves({ provider }: Shop): Promise<MoneyMove[]> {
  const entries = await provider.ledger(0, everything);
  return entries.flatMap(({ kind, reference, studentId, amountCents, atMs }) =>
    kind === 'capture' || kind === 'refund'
      ? [{ ...move(orderIdOf(reference), kind, amountCents, studentId), atMs }]
      : [],
  );
}

async function mirrorMoves({ paymentStore }: Shop, plan: Plan): Promise<MoneyMove[]> {
  const moves: MoneyMove[] = [];
  for (const { studentId } of plan.students) {
    const { entries } = await paymentStore.wallet(studentId);
    for (const { kind, amountCents, orderId } of entries) {
      if ((kind === 'capture' || kind === 'refund') && orderId !== undefined) {
        moves.push(move(orderId, kind, amountCents, studentId));
      }
    }
  }
  return moves;
}

function move(
  orderId: string,
  kind: MoneyMove['kind'],
  changeCents: number,
  student: string,
): MoneyMove {
  return { orderId, kind, amountCents: Math.abs(changeCents), student };
}
