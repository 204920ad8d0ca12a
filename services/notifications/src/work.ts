// What notifications does of its own accord: it takes the messages of its queue into the stream,
// tells the menu, and sends messages out.

import type { BatchHandler, Bus, Service } from '@rushlight/chassis';
import { type Messenger, messagesOf, statusesWorthAMessage } from './messenger.ts';
import { meaningOf } from './steps.ts';
import type { StreamStore } from './store.ts';
import type { Streams } from './streams.ts';

const tellMenuEveryMs = 250;
const lookEveryMs = 250;
const batches = { messagesMax: 100, eventsMax: 4_000, pauseMs: 50 };
const messagesAtOnce = 1_000;

type Working = Pick<Service<unknown>, 'env' | 'log' | 'metrics' | 'own' | 'every'>;

export function startWork(
  service: Working,
  parts: {
    store: StreamStore;
    streams: Streams;
    messenger: Messenger;
    bus: Pick<Bus, 'consumeBatches'>;
  },
): void {
  const { store, streams, messenger, bus } = parts;
  const queue = bus.consumeBatches('notifications', intake(service, store, streams), batches);
  service.own('queue notifications', () => queue.close());

  service.every('look for new events', lookEveryMs, () => streams.wake());
  service.every('tell the menu', tellMenuEveryMs, async () => {
    if ((await store.tellMenu(service.env.nowMs())) > 0) await streams.wake();
  });
  service.every('send messages', lookEveryMs, async () => {
    const send = (rows: Parameters<typeof messagesOf>[0]) => messenger.send(messagesOf(rows));
    for (let isMore = true; isMore; ) {
      const room = (await messenger.room?.()) ?? messagesAtOnce;
      const limit = Math.min(messagesAtOnce, room);
      // What has no room stays where it is, in the stream.
      isMore =
        limit > 0 && (await store.sendMessages(limit, statusesWorthAMessage, send)) === limit;
    }
  });
}

/** One transaction takes in what came since the last one. */
function intake(
  { env, log, metrics }: Working,
  store: StreamStore,
  streams: Streams,
): BatchHandler {
  return async (messages) => {
    metrics.observe('batch_size', { batcher: 'intake' }, messages.length);
    await store.take(messages.map(meaningOf), env.nowMs());
    streams.wake().catch((error) => log.warn({ error }, 'the tail could not be read'));
  };
}
