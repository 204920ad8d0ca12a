import { expect, test } from 'vitest';
import { realEnvironment as env } from '../src/environment.ts';
import { silentLog } from '../src/log.ts';
import { openPostgres, type PostgresStore, UnavailableError } from '../src/store/index.ts';
import { freshDatabase, startTcpProxy, type TcpProxy } from '../src/testing/index.ts';

const add = {
  name: 'add',
  text: `INSERT INTO counters (name, value) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET value = counters.value + 1`,
};
const timeouts = { connectMs: 2_400, statementMs: 3_200, lockMs: 2_400, answerMs: 4_000 };
/** What a call may take beyond its time-outs, or without one, on a machine that is busy. */
const slackMs = 10_000;

async function behindProxy(): Promise<{ store: PostgresStore; proxy: TcpProxy } & AsyncDisposable> {
  const database = await freshDatabase('network');
  const proxy = await startTcpProxy(database.url);
  const store = await openPostgres({
    url: proxy.through(database.url),
    name: 'counting',
    env,
    log: silentLog,
    sizeMax: 4,
    migrations: new URL('./store-migrations', import.meta.url),
    timeouts,
  });
  return {
    store,
    proxy,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await proxy[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

const addOne = (store: PostgresStore, name: string): Promise<object[]> =>
  store.transaction('count', (tx) => tx.query(add, [name]));

/** How long a call took, and how it ended. */
async function timed(call: Promise<unknown>): Promise<{ error: unknown; tookMs: number }> {
  const startedMs = env.monotonicMs();
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, tookMs: env.monotonicMs() - startedMs };
}

test('on a silent network every call ends within its time-outs, and it recovers at once', async () => {
  await using made = await behindProxy();
  const { store, proxy } = made;
  const names = ['a', 'b', 'c', 'd'];
  await Promise.all(names.map((name) => addOne(store, name)));
  proxy.setMode('silent');
  const silent = await Promise.all([...names, 'e', 'f'].map((name) => timed(addOne(store, name))));
  for (const { error, tookMs } of silent) {
    expect(error).toBeInstanceOf(UnavailableError);
    expect(tookMs).toBeLessThan(timeouts.answerMs + timeouts.connectMs + slackMs);
  }
  proxy.setMode('open');
  const after = await Promise.all(names.map((name) => timed(addOne(store, name))));
  expect(after.map(({ error }) => error)).toEqual(names.map(() => undefined));
  expect(Math.max(...after.map(({ tookMs }) => tookMs))).toBeLessThan(slackMs);
});

test('connections that died while nobody used them cost at most one failed call', async () => {
  await using made = await behindProxy();
  const { store, proxy } = made;
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => addOne(store, name)));
  proxy.setMode('silent');
  expect((await timed(store.ping())).error).toBeInstanceOf(UnavailableError);
  proxy.setMode('open');
  for (const name of ['a', 'b', 'c', 'd']) {
    const { error, tookMs } = await timed(addOne(store, name));
    expect(error).toBeUndefined();
    expect(tookMs).toBeLessThan(slackMs);
  }
});

test('a server that refuses is unavailable at once, and welcome back', async () => {
  await using made = await behindProxy();
  const { store, proxy } = made;
  await addOne(store, 'a');
  proxy.setMode('refusing');
  const refused = await timed(addOne(store, 'a'));
  expect(refused.error).toBeInstanceOf(UnavailableError);
  expect(refused.tookMs).toBeLessThan(timeouts.connectMs);
  proxy.setMode('open');
  expect((await timed(addOne(store, 'a'))).error).toBeUndefined();
});

test('a network that goes silent under COMMIT leaves the outcome unknown, and says so', async () => {
  await using made = await behindProxy();
  const { store, proxy } = made;
  const unknown = store.transaction('count', async (tx) => {
    await tx.query(add, ['a']);
    proxy.setMode('silent');
  });
  await expect(unknown).rejects.toThrow(/no answer to COMMIT, its outcome is unknown/);
  await expect(unknown).rejects.toHaveProperty('cause');
});

test('a lock that is held too long is unavailability, not a hang', async () => {
  await using made = await behindProxy();
  const { store } = made;
  await addOne(store, 'a');
  const free = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const holding = store.transaction('hold', async (tx) => {
    await tx.query(add, ['a']);
    held.resolve();
    await free.promise;
  });
  await held.promise;
  const blocked = await timed(addOne(store, 'a'));
  expect(blocked.error).toBeInstanceOf(UnavailableError);
  expect(blocked.tookMs).toBeLessThan(timeouts.answerMs + slackMs);
  free.resolve();
  await holding;
});

test('close ends on a silent network too', async () => {
  await using made = await behindProxy();
  const { store, proxy } = made;
  await addOne(store, 'a');
  proxy.setMode('silent');
  expect((await timed(store.close())).tookMs).toBeLessThan(
    timeouts.answerMs + timeouts.connectMs + slackMs,
  );
});
