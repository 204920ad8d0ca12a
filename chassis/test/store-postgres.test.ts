import type { Message } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { realEnvironment } from '../src/environment.ts';
import { silentLog } from '../src/log.ts';
import {
  openPostgres,
  type PostgresStore,
  type PostgresStoreOptions,
  UnavailableError,
} from '../src/store/index.ts';
import { asAdmin, freshDatabase, testPostgres, until } from '../src/testing/index.ts';

const add = {
  name: 'add',
  text: `INSERT INTO counters (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value
         RETURNING value`,
};
const read = { name: 'read', text: 'SELECT value FROM counters WHERE name = $1' };
const orderId = '0193c1de-0000-7000-8000-000000000001';
const decided = { orderId, outcome: 'reserved' } as const;

async function openStore(
  url: string,
  more: Partial<PostgresStoreOptions> = {},
): Promise<PostgresStore> {
  return openPostgres({
    url,
    name: 'counting',
    env: realEnvironment,
    log: silentLog,
    sizeMax: 4,
    migrations: new URL('./store-migrations', import.meta.url),
    ...more,
  });
}

const countOf = async (store: PostgresStore, name: string): Promise<number | undefined> =>
  (await store.query<{ value: number }>(read, [name]))[0]?.value;

test('a transaction commits its rows and its events together', async () => {
  await using database = await freshDatabase('commit');
  await using store = await openStore(database.url);
  const [row] = await store.transaction('count', async (tx) => {
    await tx.emit('stock.decided', [decided]);
    return tx.query<{ value: number }>(add, ['tea', 2]);
  });
  expect(row?.value).toBe(2);
  const published: Message[] = [];
  expect(await store.outbox.depth()).toBe(1);
  await store.outbox.relay(10, async (messages) => void published.push(...messages));
  expect(published).toMatchObject([{ topic: 'stock.decided', events: [decided] }]);
  expect(await store.outbox.depth()).toBe(0);
});

test('nothing of a transaction that throws remains', async () => {
  await using database = await freshDatabase('rollback');
  await using store = await openStore(database.url);
  const failing = store.transaction('count', async (tx) => {
    await tx.query(add, ['tea', 2]);
    await tx.emit('stock.decided', [decided]);
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect(await countOf(store, 'tea')).toBeUndefined();
  expect(await store.outbox.depth()).toBe(0);
});

test('a swallowed failure does not pass for a commit', async () => {
  await using database = await freshDatabase('swallowed');
  await using store = await openStore(database.url);
  const failing = store.transaction('count', async (tx) => {
    await tx.query(add, ['tea', 2]);
    await tx.query(add, ['tea', -5]).catch(() => {});
  });
  await expect(failing).rejects.toMatchObject({ code: '23514' });
  expect(await countOf(store, 'tea')).toBeUndefined();
});

test('a message is new once, and again when its effect was rolled back', async () => {
  await using database = await freshDatabase('inbox');
  await using store = await openStore(database.url);
  const take = (fail: boolean): Promise<boolean> =>
    store.transaction('take', async (tx) => {
      const isNew = await tx.isNew(orderId);
      if (fail) throw new Error('no');
      return isNew;
    });
  await expect(take(true)).rejects.toThrow('no');
  expect([await take(false), await take(false)]).toEqual([true, false]);
  expect(await store.forgetInbox(60_000)).toBe(0);
  expect(await store.forgetInbox(-1)).toBe(1);
  expect(await take(false)).toBe(true);
});

test('of several messages those are new that were never taken, each once', async () => {
  await using database = await freshDatabase('inbox_many');
  await using store = await openStore(database.url);
  const ids = Array.from({ length: 4 }, () => realEnvironment.newId());
  const [first = '', second = ''] = ids;
  const take = (some: readonly string[]): Promise<Set<string>> =>
    store.transaction('take', (tx) => tx.newOf(some));
  expect(await take([second, first, second])).toEqual(new Set([first, second]));
  expect(await take(ids)).toEqual(new Set(ids.slice(2)));
  expect(await take([])).toEqual(new Set());
});

test('what one transaction emits to a topic is one message', async () => {
  await using database = await freshDatabase('merged');
  await using store = await openStore(database.url);
  const other = { itemId: 'tea', available: 1, stockVersion: 1 };
  await store.transaction('emit', async (tx) => {
    await tx.emit('stock.decided', [decided]);
    await tx.emit('stock.changed', [other]);
    await tx.emit('stock.decided', [{ ...decided, outcome: 'short' }]);
  });
  const published: Message[] = [];
  await store.outbox.relay(10, async (messages) => void published.push(...messages));
  const eventsOf = new Map<string, unknown[]>(
    published.map(({ topic, events }) => [topic, events]),
  );
  expect(published.length).toBe(2);
  expect(eventsOf.get('stock.decided')).toEqual([decided, { ...decided, outcome: 'short' }]);
  expect(eventsOf.get('stock.changed')).toEqual([other]);
});

test('two transactions that block each other both end well', async () => {
  await using database = await freshDatabase('deadlock');
  await using store = await openStore(database.url);
  let arrived = 0;
  const both = (names: [string, string]): Promise<void> =>
    store.transaction('both', async (tx) => {
      await tx.query(add, [names[0], 1]);
      arrived += 1;
      await until(() => arrived >= 2, { what: 'the other transaction' });
      await tx.query(add, [names[1], 1]);
    });
  await Promise.all([both(['a', 'b']), both(['b', 'a'])]);
  expect([await countOf(store, 'a'), await countOf(store, 'b')]).toEqual([2, 2]);
});

test('a killed connection is unavailability, and the next call gets a sound one', async () => {
  await using database = await freshDatabase('killed');
  await using store = await openStore(database.url, { sizeMax: 1 });
  const killAll = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = '${database.name}'`;
  const failing = store.transaction('count', async (tx) => {
    await tx.query(add, ['tea', 1]);
    await asAdmin(testPostgres(), [killAll]);
    await tx.query(add, ['tea', 1]);
  });
  await expect(failing).rejects.toBeInstanceOf(UnavailableError);
  expect(await countOf(store, 'tea')).toBeUndefined();
  await asAdmin(testPostgres(), [killAll]);
  await until(
    () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    { what: 'a ping' },
  );
});

test('when too many wait for a connection the next one is refused at once', async () => {
  await using database = await freshDatabase('waiting');
  await using store = await openStore(database.url, { sizeMax: 1, waitingMax: 2 });
  const free = Promise.withResolvers<void>();
  const holding = store.transaction('hold', async (tx) => {
    await tx.query(add, ['tea', 1]);
    await free.promise;
  });
  const waiting = [countOf(store, 'tea'), countOf(store, 'tea')];
  await expect(countOf(store, 'tea')).rejects.toThrow('2 callers wait');
  free.resolve();
  await holding;
  expect(await Promise.all(waiting)).toEqual([1, 1]);
});

test('each operation is reported once with its outcome', async () => {
  await using database = await freshDatabase('reports');
  const reports: string[] = [];
  await using store = await openStore(database.url, {
    onOperation: (operation, outcome) => reports.push(`${operation} ${outcome}`),
  });
  await store.transaction('good', (tx) => tx.query(add, ['tea', 1]));
  await store.transaction('bad', (tx) => tx.query(add, ['milk', -1])).catch(() => {});
  expect(reports).toEqual(['good committed', 'bad rolled_back']);
});
