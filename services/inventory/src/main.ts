// Inventory: the menu and the stock ledger. This file only wires it together.

import { runService } from '@rushlight/chassis';
import { inventoryApi, publicApi } from '@rushlight/contracts';
import { z } from 'zod';
import { internalHandlers, publicHandlers } from './handlers.ts';
import { dishes } from './menu.ts';
import { createPostgresStore } from './postgres-store.ts';
import { createReserveDesk } from './reserve-desk.ts';
import { available } from './stock.ts';
import { countChanges } from './stock-counts.ts';
import { startWork } from './work.ts';

const dayMs = 86_400_000;

await runService({
  settings: z.object({
    /** Portions of each dish in a fresh shop. */
    RUSHLIGHT_INVENTORY_SEED_STOCK: z.coerce.number().int().min(0).max(1_000_000).default(200),
    /** Holds of ended orders and single ledger entries are kept this long. */
    RUSHLIGHT_INVENTORY_KEPT_DAYS: z.coerce.number().int().min(2).max(3_650).default(30),
  }),
  start: async (service) => {
    const { config, env, metrics, settings } = service;
    const database = await service.openStore({
      url: config.databaseUrl,
      migrations: new URL('../migrations/', import.meta.url),
    });
    const store = createPostgresStore(database, env, countChanges(metrics));
    const stock = settings.RUSHLIGHT_INVENTORY_SEED_STOCK;
    await store.seed(
      'first menu',
      dishes.map((dish) => ({ ...dish, stock })),
    );

    metrics.onScrape(async () => {
      for (const item of await store.items()) {
        const left = item.removed ? Number.NaN : available(item);
        metrics.set('inventory_stock', { item: item.itemId }, left);
      }
    });

    const bus = await service.openBus();
    service.startRelay(database, bus);
    startWork(service, { store, bus });

    const keptMs = settings.RUSHLIGHT_INVENTORY_KEPT_DAYS * dayMs;
    service.every('forget what is old', 60_000, async () => {
      await store.forget(env.nowMs() - keptMs, 20_000);
      await database.forgetInbox(2 * dayMs);
    });

    const desk = createReserveDesk(store, env, metrics);
    service.own('reserve desk', () => desk.close());
    const { menu, listItems, getItem, addItem, editItem, removeItem } = publicApi;
    const shown = { menu, listItems, getItem, addItem, editItem, removeItem };
    service.server.handle(shown, publicHandlers(store, env, metrics));
    service.server.handle(inventoryApi, internalHandlers(store, desk));
  },
});
