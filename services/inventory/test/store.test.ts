import { openPostgres, type PostgresStore, realEnvironment, silentLog } from '@rushlight/chassis';
import { freshDatabase, metricsUnderTest } from '@rushlight/chassis/testing';
import type { Message } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { createPostgresStore } from '../src/postgres-store.ts';
import { available } from '../src/stock.ts';
import { countChanges } from '../src/stock-counts.ts';
import { idOf, messageOf, orderStep } from './shop.ts';
import { type Emitted, storeConformance } from './store-conformance.ts';

async function openDatabase(url: string): Promise<PostgresStore> {
  return openPostgres({
    url,
    name: 'inventory',
    env: realEnvironment,
    log: silentLog,
    migrations: new URL('../migrations/', import.meta.url),
  });
}

async function takeOutbox(database: PostgresStore): Promise<Emitted[]> {
  const taken: Message[] = [];
  while ((await database.outbox.relay(100, async (messages) => void taken.push(...messages))) > 0);
  taken.sort((a, b) => a.topic.localeCompare(b.topic));
  return taken.map(({ topic, events }) => ({ topic, events }));
}

// One database for many short tests: making one takes longer than a test.
let shared: Promise<{ database: PostgresStore }> | undefined;
const sharedDatabase = async () => {
  shared ??= freshDatabase('inventory').then(async ({ url }) => ({
    database: await openDatabase(url),
  }));
  return shared;
};
const empty = {
  name: 'test_empty',
  text: 'TRUNCATE items, holds, stock_ledger, seeds, inbox, outbox',
};

storeConformance('inventory on Postgres', async (nowMs) => {
  const { database } = await sharedDatabase();
  await database.query(empty);
  const { metrics, sum } = metricsUnderTest('inventory');
  return {
    store: createPostgresStore(database, { nowMs }, countChanges(metrics)),
    counted: sum,
    emitted: () => takeOutbox(database),
    close: async () => undefined,
  };
});

const hot = (orderId: string, quantity = 1) => ({
  orderId,
  lines: [{ itemId: 'kofta', quantity }],
});
const kofta = { itemId: 'kofta', name: 'Kofta', category: 'mains', priceCents: 1 };

test('64 batches at once on one hot item: never oversold, nothing refused needlessly', async () => {
  await using fresh = await freshDatabase('inventory_hot');
  await using one = await openDatabase(fresh.url);
  await using two = await openDatabase(fresh.url);
  const stores = [one, two].map((database) => createPostgresStore(database, realEnvironment));
  const stock = 1_000;
  await stores[0]?.addItem('a', { ...kofta, stock });
  const batches = Array.from({ length: 64 }, (_, batch) =>
    Array.from({ length: 20 }, (_, order) => hot(idOf(`${batch} ${order}`))),
  );
  const answers = await Promise.all(
    batches.map(async (batch, index) => stores[index % 2]?.reserveBatch('b', batch) ?? []),
  );
  const reserved = answers.flat().filter(({ outcome }) => outcome === 'reserved');
  expect(answers.flat()).toHaveLength(1_280);
  expect(reserved).toHaveLength(stock);
  expect(await stores[0]?.item('kofta')).toMatchObject({ onHand: stock, reserved: stock });
  const audit = await stores[0]?.audit({ after: undefined, limit: 1 });
  expect(audit?.violations).toEqual([]);
});

test('orders that share items in any order never wait for each other in a circle', async () => {
  await using fresh = await freshDatabase('inventory_circle');
  await using database = await openDatabase(fresh.url);
  const store = createPostgresStore(database, realEnvironment);
  const names = ['a', 'b', 'c', 'd'];
  for (const itemId of names) await store.addItem('a', { ...kofta, itemId, stock: 100_000 });
  const batches = Array.from({ length: 40 }, (_, batch) =>
    Array.from({ length: 10 }, (_, order) => ({
      orderId: idOf(`${batch} ${order}`),
      lines: [batch + order, batch + order + 1 + (order % 2)].map((pick) => ({
        itemId: names[pick % 4] ?? 'a',
        quantity: 1,
      })),
    })),
  );
  const answers = await Promise.all(batches.map((batch) => store.reserveBatch('b', batch)));
  expect(answers.flat().every(({ outcome }) => outcome === 'reserved')).toBe(true);
});

test('the same orders at once, by both ways, with their ends: one outcome for each', async () => {
  await using fresh = await freshDatabase('inventory_race');
  await using database = await openDatabase(fresh.url);
  const store = createPostgresStore(database, realEnvironment);
  await store.addItem('a', { ...kofta, stock: 500 });
  const rounds = Array.from({ length: 30 }, (_, round) => round);
  await Promise.all(
    rounds.map(async (round) => {
      const orders = Array.from({ length: 10 }, (_, order) => hot(idOf(`${round} ${order}`)));
      const ended = orders.map(({ orderId }) => ({
        ...orderStep(orderId),
        release: true,
        refund: false,
        reason: 'student' as const,
      }));
      const queued = orders.map((order) => ({ ...orderStep(order.orderId), lines: order.lines }));
      const paid = orders.map((order) => ({ ...orderStep(order.orderId), lines: [] }));
      await Promise.all([
        store.reserveBatch('b', orders),
        store.releaseEnded(messageOf(`end ${round}`, 'order.cancelled', ended)),
        store.reserveQueued(messageOf(`queue ${round}`, 'order.queued', queued)),
        store.commitPaid([messageOf(`pay ${round}`, 'order.paid', paid)]),
      ]);
    }),
  );
  const { holds, violations } = await store.audit({ after: undefined, limit: 1_000 });
  expect(violations).toEqual([]);
  expect(holds).toHaveLength(300);
  expect(holds.every(({ status }) => status === 'released')).toBe(true);
  const item = await store.item('kofta');
  expect(item && available(item)).toBe(500);
});

test('a transaction that dies half-way leaves nothing', async () => {
  await using fresh = await freshDatabase('inventory_half');
  await using database = await openDatabase(fresh.url);
  const store = createPostgresStore(database, realEnvironment);
  await store.addItem('a', { ...kofta, stock: 5 });
  await takeOutbox(database);
  const dying = createPostgresStore(
    {
      query: database.query,
      transaction: (operation, work) =>
        database.transaction(operation, async (tx) => {
          await work(tx);
          throw new Error('killed before the commit');
        }),
    },
    realEnvironment,
  );
  await expect(dying.reserveBatch('b', [hot(idOf('a'), 3)])).rejects.toThrow('killed');
  expect(await takeOutbox(database)).toEqual([]);
  expect(await store.item('kofta')).toMatchObject({ onHand: 5, reserved: 0 });
  expect(await store.reserveBatch('b', [hot(idOf('a'), 5)])).toMatchObject([
    { outcome: 'reserved' },
  ]);
});
