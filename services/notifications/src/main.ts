// Notifications: the gapless event stream and messages out. This file only wires it together.

import { runService } from '@rushlight/chassis';
import { limits } from '@rushlight/contracts';
import { z } from 'zod';
import { createHandlers, routes } from './handlers.ts';
import { mistakesIn, outSettings } from './out/settings.ts';
import { startMessages } from './out/start.ts';
import { createPostgresStreamStore } from './postgres-store.ts';
import { Streams } from './streams.ts';
import { startWork } from './work.ts';

const ownSettings = z.object({
  ...outSettings,
  RUSHLIGHT_NOTIFICATIONS_STREAMS_MAX: z.coerce.number().int().min(1).max(100_000).default(20_000),
  RUSHLIGHT_NOTIFICATIONS_STREAMS_PER_USER_MAX: z.coerce.number().int().min(1).max(100).default(10),
  RUSHLIGHT_NOTIFICATIONS_WAITING_BYTES_MAX: z.coerce.number().int().min(1_024).default(1_048_576),
});

const settings = ownSettings.superRefine((given, context) => {
  for (const message of mistakesIn(given)) context.addIssue({ code: 'custom', message });
});

const beatEveryMs = 15_000;
const forgetEveryMs = 60_000;
const forgetRowsMax = 10_000;
const forgetRunsMax = 50;
const inboxKeptMs = 2 * 24 * 3_600_000;

await runService({
  settings,
  start: async (service) => {
    const { config, env, log, metrics } = service;
    const database = await service.openStore({
      url: config.databaseUrl,
      migrations: new URL('../migrations/', import.meta.url),
    });
    const store = createPostgresStreamStore(database);
    const streams = new Streams({
      store,
      env,
      log,
      limits: {
        streamsMax: service.settings.RUSHLIGHT_NOTIFICATIONS_STREAMS_MAX,
        streamsPerOwnerMax: service.settings.RUSHLIGHT_NOTIFICATIONS_STREAMS_PER_USER_MAX,
        waitingBytesMax: service.settings.RUSHLIGHT_NOTIFICATIONS_WAITING_BYTES_MAX,
      },
      onSent: (kind, count) => metrics.count('notifications_pushed_total', { kind }, count),
    });
    await streams.start();
    metrics.onScrape(() => metrics.set('notification_streams', {}, streams.size));

    const bus = await service.openBus();
    const messenger = startMessages(service, database);
    startWork(service, { store, streams, messenger, bus });
    service.every('beat', beatEveryMs, async () => streams.beat());
    service.every('end what is over', 1_000, async () => streams.endExpired());
    service.every('forget', forgetEveryMs, async () => {
      const beforeMs = env.nowMs() - limits.eventsKeptMs;
      for (let run = 0; run < forgetRunsMax; run++) {
        if ((await store.forget(beforeMs, forgetRowsMax)) < forgetRowsMax) break;
      }
      await database.forgetInbox(inboxKeptMs);
    });

    // Streams never end by themselves: the server could not close while they are open.
    service.server.app.addHook('preClose', async () => streams.closeAll());
    service.server.handle(routes, createHandlers({ store, streams, env }));
  },
});
