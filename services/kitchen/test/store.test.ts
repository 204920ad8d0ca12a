import { openPostgres, realEnvironment, silentLog } from '@rushlight/chassis';
import { asAdmin, freshDatabase } from '@rushlight/chassis/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { PostgresKitchenStore } from '../src/postgres-store.ts';
import type { TicketChange } from '../src/store.ts';
import { kitchenStoreConformance } from './store-conformance.ts';

describe('Postgres', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let postgres: Awaited<ReturnType<typeof openPostgres>>;

  beforeAll(async () => {
    database = await freshDatabase('kitchen_store');
    postgres = await openPostgres({
      url: database.url,
      name: 'kitchen',
      env: realEnvironment,
      log: silentLog,
      migrations: new URL('../migrations/', import.meta.url),
    });
  });
  afterAll(async () => {
    await postgres?.close();
    await database?.[Symbol.asyncDispose]();
  });

  kitchenStoreConformance(async () => {
    await asAdmin(database.url, ['TRUNCATE tickets, inbox, outbox']);
    const emitted: TicketChange[] = [];
    return {
      store: new PostgresKitchenStore(postgres),
      emitted: async () => {
        const messages: { id: string; events: readonly unknown[] }[] = [];
        const relay = () =>
          postgres.outbox.relay(1_000, async (batch) => {
            messages.push(...batch);
          });
        while ((await relay()) > 0);
        messages.sort((a, b) => (a.id < b.id ? -1 : 1));
        emitted.push(...messages.flatMap(({ events }) => events as TicketChange[]));
        return emitted;
      },
      [Symbol.asyncDispose]: async () => {},
    };
  });
});
