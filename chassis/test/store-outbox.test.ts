import type { Message } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { realEnvironment as env } from '../src/environment.ts';
import { silentLog } from '../src/log.ts';
import { openPostgres, startRelay } from '../src/store/index.ts';
import {
  asAdmin,
  freshDatabase,
  outboxConformance,
  testPostgres,
  until,
} from '../src/testing/index.ts';

outboxConformance('Postgres', async () => {
  const database = await freshDatabase('outbox');
  const store = await openPostgres({
    url: database.url,
    name: 'emitting',
    env,
    log: silentLog,
    migrations: new URL('./store-migrations', import.meta.url),
  });
  return {
    outbox: store.outbox,
    begin: async (events) => {
      const emitted = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const done = store.transaction('emit', async (tx) => {
        await tx.emit('stock.decided', events);
        emitted.resolve();
        await gate.promise;
      });
      await emitted.promise;
      return {
        commit: () => {
          gate.resolve();
          return done;
        },
      };
    },
    killRelays: () =>
      asAdmin(testPostgres(), [
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}'`,
      ]),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
});

test('what a dead process left in its outbox is carried by the next one', async () => {
  await using database = await freshDatabase('stray');
  const open = () =>
    openPostgres({
      url: database.url,
      name: 'emitting',
      env,
      log: silentLog,
      migrations: new URL('./store-migrations', import.meta.url),
    });
  const event = { orderId: env.newId(), outcome: 'short' } as const;
  const dead = await open();
  await dead.transaction('emit', (tx) => tx.emit('stock.decided', [event]));
  await dead.close();
  await using next = await open();
  const published: Message[] = [];
  const publish = async (all: readonly Message[]): Promise<void> => void published.push(...all);
  const relay = startRelay({ outbox: next.outbox, bus: { publish }, env, log: silentLog });
  await until(() => published.length > 0, { what: 'the message' });
  await relay.close();
  expect(published.map(({ topic, events }) => [topic, events])).toEqual([
    ['stock.decided', [event]],
  ]);
  expect(await next.outbox.depth()).toBe(0);
});
