import { openPostgres, realEnvironment, silentLog } from '@rushlight/chassis';
import { asAdmin, freshDatabase } from '@rushlight/chassis/testing';
import type { EventOf } from '@rushlight/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PostgresPaymentStore } from '../src/postgres-store.ts';
import { createPostgresProvider } from '../src/provider/postgres-provider.ts';
import { providerConformance } from './provider-conformance.ts';
import { paymentStoreConformance } from './store-conformance.ts';

type Opened = {
  url: string;
  postgres: Awaited<ReturnType<typeof openPostgres>>;
} & AsyncDisposable;

async function open(name: string, folder: string): Promise<Opened> {
  const database = await freshDatabase(name);
  const postgres = await openPostgres({
    url: database.url,
    name,
    env: realEnvironment,
    log: silentLog,
    migrations: new URL(folder, import.meta.url),
  });
  return {
    url: database.url,
    postgres,
    [Symbol.asyncDispose]: async () => {
      await postgres.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

describe('the store on Postgres', () => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await open('payments', '../migrations/');
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());

  paymentStoreConformance(async () => {
    await asAdmin(opened.url, [
      'ALTER TABLE postings DISABLE TRIGGER postings_append_only',
      'TRUNCATE payments, work, top_ups, postings, accounts, inbox, outbox',
      'ALTER TABLE postings ENABLE TRIGGER postings_append_only',
    ]);
    const emitted: EventOf<'payment.decided'>[] = [];
    return {
      store: new PostgresPaymentStore(opened.postgres),
      emitted: async () => {
        const keep = async (messages: { events: readonly unknown[] }[]): Promise<void> => {
          for (const { events } of messages) {
            emitted.push(...(events as EventOf<'payment.decided'>[]));
          }
        };
        while ((await opened.postgres.outbox.relay(1_000, keep)) > 0);
        return emitted;
      },
    };
  });

  test('postings cannot be changed or taken back', async () => {
    const say = /append-only/;
    await expect(asAdmin(opened.url, ['DELETE FROM postings'])).rejects.toThrow(say);
    const edit = 'UPDATE postings SET amount_cents = 1';
    await expect(asAdmin(opened.url, [edit])).rejects.toThrow(say);
  });
});

describe('the provider on Postgres', () => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await open('provider', '../provider-migrations/');
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());

  providerConformance(async (nature) =>
    createPostgresProvider(opened.postgres, realEnvironment, nature),
  );

  test('a balance below zero and an edited ledger are refused by the database itself', async () => {
    const overdraw = 'UPDATE accounts SET balance_cents = -1';
    await expect(asAdmin(opened.url, [overdraw])).rejects.toThrow(/check constraint/);
    await expect(asAdmin(opened.url, ['DELETE FROM ledger'])).rejects.toThrow(/append-only/);
  });
});
