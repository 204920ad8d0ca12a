import { onDatabaseTime, runService } from '@rushlight/chassis';
import { limits } from '@rushlight/contracts';
import { z } from 'zod';
import { createHandlers, routes } from './handlers.ts';
import { createNeighbours } from './neighbours.ts';
import { countMoved } from './order-counts.ts';
import { createPostgresOrderStore } from './postgres-store.ts';
import { createPriceList } from './prices.ts';
import { startWork } from './work.ts';

const settings = z.object({
  RUSHLIGHT_ORDERS_KEPT_DAYS: z.coerce.number().int().min(2).max(3_650).default(30),
});

const dayMs = 24 * 3_600_000;
const forgetEveryMs = 60_000;
const forgetRowsMax = 20_000;
const forgetRunsMax = 20;
const inboxKeptMs = 2 * dayMs;

await runService({
  settings,
  start: async (service) => {
    const { config, log, metrics } = service;
    const database = await service.openStore({
      url: config.databaseUrl,
      migrations: new URL('../migrations/', import.meta.url),
    });
    // A deadline is written by one process and judged by another, before or after a jump of a clock.
    const env = await onDatabaseTime(service, database);
    const store = createPostgresOrderStore(database, (status, orders, reason) =>
      countMoved(metrics, status, orders, reason),
    );
    const bus = await service.openBus();
    service.startRelay(database, bus);
    const ask = createNeighbours(service.client('inventory'), service.client('kitchen'));

    const priceList = createPriceList({ store, env, log, fetchMenu: ask.fetchMenu });
    // Inventory may start later than we do: then its events, or the first order, bring the menu.
    priceList.fill().catch(() => log.info({}, 'the menu will come with the events of inventory'));

    startWork({ ...service, env }, { store, bus });
    service.every('forget', forgetEveryMs, async () => {
      const nowMs = env.nowMs();
      const keptMs = service.settings.RUSHLIGHT_ORDERS_KEPT_DAYS * dayMs;
      for (let runs = 0; runs < forgetRunsMax; runs++) {
        const keysBeforeMs = nowMs - limits.idempotencyKeyKeptMs;
        const forgotten = await store.forget(keysBeforeMs, nowMs - keptMs, forgetRowsMax);
        if (forgotten < forgetRowsMax) break;
      }
      await database.forgetInbox(inboxKeptMs);
    });

    const handlers = createHandlers({
      store,
      env,
      place: { ...{ store, priceList, env, log, metrics }, reserve: ask.reserve },
      cancel: { store, nowMs: env.nowMs, voidTicket: ask.voidTicket },
      estimates: ask.estimates,
    });
    service.server.handle(routes, handlers);
  },
});
