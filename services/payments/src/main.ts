// The process: opens what payments needs, and connects it.

import { onDatabaseTime, type PostgresStore, runService, type Service } from '@rushlight/chassis';
import { z } from 'zod';
import { Driver } from './driver.ts';
import { PostgresPaymentStore } from './postgres-store.ts';
import { createPostgresProvider, forgetAnswers } from './provider/postgres-provider.ts';
import { reconcile } from './reconcile.ts';
import { paymentHandlers, paymentRoutes, shared } from './routes.ts';
import type { PaymentStore } from './store.ts';
import { startWork } from './work.ts';

const rate = z.coerce.number().min(0).max(1).default(0);
const days = (fallback: number) => z.coerce.number().int().min(2).max(3_650).default(fallback);

const settings = z.object({
  RUSHLIGHT_PAYMENTS_PROVIDER_LATENCY_MS: z.coerce.number().int().min(0).max(60_000).default(0),
  RUSHLIGHT_PAYMENTS_PROVIDER_DECLINE_RATE: rate,
  RUSHLIGHT_PAYMENTS_PROVIDER_ANSWER_LOST_RATE: rate,
  RUSHLIGHT_PAYMENTS_RECONCILE_S: z.coerce.number().min(1).max(86_400).default(60),
  RUSHLIGHT_PAYMENTS_KEPT_DAYS: days(30),
});

const cleanEveryMs = 60_000;
const cleanRowsMax = 20_000;
const reconciledKeptMs = 250;
const dayMs = 24 * 3_600_000;
const keyKeptMs = dayMs;
const inboxKeptMs = 2 * dayMs;
const answersKeptMs = 7 * dayMs;
const answersMax = 1_000;

await runService({ settings, start });

async function start(service: Service<z.output<typeof settings>>): Promise<void> {
  const { config, log, metrics, server } = service;
  const database = await service.openStore({
    url: config.databaseUrl,
    migrations: new URL('../migrations/', import.meta.url),
  });
  // A lease is written by one process and judged by another, before or after a jump of a clock.
  const env = await onDatabaseTime(service, database);
  const providerDatabase = await service.openStore({
    url: config.providerDatabaseUrl,
    migrations: new URL('../provider-migrations/', import.meta.url),
    name: 'provider',
  });
  const provider = createPostgresProvider(providerDatabase, env, {
    latencyMs: service.settings.RUSHLIGHT_PAYMENTS_PROVIDER_LATENCY_MS,
    declineRate: service.settings.RUSHLIGHT_PAYMENTS_PROVIDER_DECLINE_RATE,
    answerLostRate: service.settings.RUSHLIGHT_PAYMENTS_PROVIDER_ANSWER_LOST_RATE,
  });
  const store = new PostgresPaymentStore(database);
  const driver = new Driver({ store, provider, env, log, metrics });
  const reconciled = shared(env, reconciledKeptMs, () => reconcile({ store, provider, env }));

  server.handle(paymentRoutes, paymentHandlers({ store, provider, driver, reconciled }));
  const bus = await service.openBus();
  service.startRelay(database, bus);
  startWork(service, { driver, bus });
  service.every('reconcile', service.settings.RUSHLIGHT_PAYMENTS_RECONCILE_S * 1_000, async () => {
    const { violations } = await reconciled();
    if (violations.length > 0) log.warn({ violations }, 'our books and the provider differ');
  });
  service.every('forget', cleanEveryMs, async () => {
    await forget(service, store, database);
    await forgetAnswers(providerDatabase, env.nowMs() - answersKeptMs, answersMax);
  });
}

async function forget(
  service: Service<z.output<typeof settings>>,
  store: PaymentStore,
  database: PostgresStore,
): Promise<void> {
  const nowMs = service.env.nowMs();
  const keptMs = service.settings.RUSHLIGHT_PAYMENTS_KEPT_DAYS * dayMs;
  await store.forget(nowMs - keptMs, nowMs - keyKeptMs, cleanRowsMax);
  await database.forgetInbox(inboxKeptMs);
}
