import { openPostgres, type PostgresStore, realEnvironment, silentLog } from '@rushlight/chassis';
import { freshDatabase } from '@rushlight/chassis/testing';
import type { Message, OrderStatus } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { createPostgresOrderStore } from '../src/postgres-store.ts';
import { newOrder, paymentDecided, startMs } from './help.ts';
import { storeConformance } from './store-conformance.ts';

// One database for many short tests: making one takes longer than a test.
let shared: Promise<PostgresStore> | undefined;
const database = (): Promise<PostgresStore> => {
  shared ??= freshDatabase('orders').then(({ url }) =>
    openPostgres({
      ...{ url, name: 'orders', env: realEnvironment, log: silentLog },
      migrations: new URL('../migrations/', import.meta.url),
    }),
  );
  return shared;
};
const empty = {
  name: 'test_empty',
  text: 'TRUNCATE orders, watched_batches, menu_items, inbox, outbox',
};

storeConformance('orders on Postgres', async () => {
  const opened = await database();
  await opened.query(empty);
  return {
    store: createPostgresOrderStore(opened),
    said: async () => {
      const said: Message[] = [];
      while ((await opened.outbox.relay(100, async (messages) => void said.push(...messages))) > 0);
      return said;
    },
  };
});

test('what moved is told after the commit, once for each step', async () => {
  const moved: [OrderStatus, number, (string | undefined)?][] = [];
  const store = createPostgresOrderStore(await database(), (...told) => moved.push(told));
  const orders = [newOrder(), newOrder()];
  await store.acceptBatch(orders);
  await store.decideBatch(
    orders.map(({ orderId }) => ({ orderId, event: { type: 'stock.reserved' } })),
    startMs,
  );
  const message = paymentDecided(orders[0]?.orderId ?? '');
  await store.applyMessages([{ messageId: message.id, moves: [] }], startMs);
  expect(moved).toEqual([['stock_verified', 2]]);
});

test('pickup numbers run from 1 to 9999 and begin again', async () => {
  const opened = await database();
  const setTo = { name: 'test_pickup', text: `SELECT setval('pickup_numbers', 9998)` };
  await opened.query(setTo);
  const store = createPostgresOrderStore(opened);
  const numbers: number[] = [];
  for (let n = 0; n < 3; n++) {
    const [result] = await store.acceptBatch([newOrder()]);
    if (result?.kind === 'accepted') numbers.push(result.order.pickupNumber);
  }
  expect(numbers).toEqual([9_999, 1, 2]);
});
