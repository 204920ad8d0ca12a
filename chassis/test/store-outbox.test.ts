import { realEnvironment as env } from '../src/environment.ts';
import { silentLog } from '../src/log.ts';
import { openPostgres } from '../src/store/index.ts';
import { asAdmin, freshDatabase, outboxConformance, testPostgres } from '../src/testing/index.ts';

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
