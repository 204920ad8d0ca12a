// The process: opens what the kitchen needs, and connects it.

import {
  flag,
  onDatabaseTime,
  type PostgresStore,
  runService,
  type Service,
} from '@rushlight/chassis';
import { z } from 'zod';
import { PostgresKitchenStore } from './postgres-store.ts';
import { kitchenHandlers, kitchenRoutes } from './routes.ts';
import type { KitchenStore } from './store.ts';
import { startWork } from './work.ts';

const seconds = (fallback: number) => z.coerce.number().min(0).max(86_400).default(fallback);

const settings = z
  .object({
    RUSHLIGHT_KITCHEN_STATIONS: z.coerce.number().int().min(1).max(10_000).default(24),
    /** 3 unless given, or the longest time where that is shorter. */
    RUSHLIGHT_KITCHEN_COOK_S_MIN: z.coerce.number().min(0).max(86_400).optional(),
    RUSHLIGHT_KITCHEN_COOK_S_MAX: seconds(7),
    RUSHLIGHT_KITCHEN_SHELF_S: seconds(600),
    RUSHLIGHT_KITCHEN_AUTO: flag.default(true),
    RUSHLIGHT_KITCHEN_KEPT_DAYS: z.coerce.number().int().min(2).max(3_650).default(30),
  })
  .refine((read) => (read.RUSHLIGHT_KITCHEN_COOK_S_MIN ?? 0) <= read.RUSHLIGHT_KITCHEN_COOK_S_MAX, {
    message: 'must be at least RUSHLIGHT_KITCHEN_COOK_S_MIN',
    path: ['RUSHLIGHT_KITCHEN_COOK_S_MAX'],
  });
type Settings = z.output<typeof settings>;

const cleanEveryMs = 60_000;
const rowsMax = 5_000;
const roundsMax = 20;
const dayMs = 24 * 3_600_000;
const inboxKeptMs = 2 * dayMs;

await runService({ settings, start });

async function start(service: Service<Settings>): Promise<void> {
  const { config, metrics, server } = service;
  const stations = service.settings.RUSHLIGHT_KITCHEN_STATIONS;
  const auto = service.settings.RUSHLIGHT_KITCHEN_AUTO;
  const cookSMax = service.settings.RUSHLIGHT_KITCHEN_COOK_S_MAX;
  const cookSMin = service.settings.RUSHLIGHT_KITCHEN_COOK_S_MIN ?? Math.min(3, cookSMax);
  const [cookMsMin, cookMsMax] = [cookSMin * 1_000, cookSMax * 1_000];
  const database = await service.openStore({
    url: config.databaseUrl,
    migrations: new URL('../migrations/', import.meta.url),
  });
  // A meal is put on by one process and found ready by another, before or after a jump of a clock.
  const env = await onDatabaseTime(service, database);
  const store = new PostgresKitchenStore(database);
  const bus = await service.openBus();
  service.startRelay(database, bus);
  const shelfMs = service.settings.RUSHLIGHT_KITCHEN_SHELF_S * 1_000;
  const plan = { stations, auto, cookMsMin, cookMsMax, shelfMs };
  const { wake } = startWork({ ...service, env }, { store, bus, plan });

  const meanCookMs = (cookMsMin + cookMsMax) / 2;
  const routes = { store, env, stations, auto, meanCookMs, wake };
  server.handle(kitchenRoutes, kitchenHandlers(routes));
  service.every('forget', cleanEveryMs, () => forget(service, store, database));
  metrics.onScrape(async () => {
    const counts = await store.counts();
    for (const status of ['waiting', 'cooking', 'ready'] as const) {
      metrics.set('kitchen_tickets', { status }, counts[status]);
    }
  });
}

async function forget(
  service: Service<Settings>,
  store: KitchenStore,
  database: PostgresStore,
): Promise<void> {
  const keptMs = service.settings.RUSHLIGHT_KITCHEN_KEPT_DAYS * dayMs;
  for (let round = 0; round < roundsMax; round++) {
    if ((await store.forget(service.env.nowMs() - keptMs, rowsMax)) < rowsMax) break;
  }
  await database.forgetInbox(inboxKeptMs);
}
