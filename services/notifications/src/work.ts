// What notifications does of its own accord: it takes the messages of its queue into the stream,
// tells the menu, and sends messages out.

import { type Bus, createBatcher, type Service } from '@rushlight/chassis';
import type { Message } from '@rushlight/contracts';
import { type Messenger, messagesOf } from './messenger.ts';
import { meaningOf } from './steps.ts';
import type { StreamStore } from './store.ts';
import type { Streams } from './streams.ts';

const tellMenuEveryMs = 250;
const lookEveryMs = 250;
const messagesTogetherMax = 32;
const messagesAtOnce = 200;

type Working = Pick<Service<unknown>, 'env' | 'log' | 'metrics' | 'own' | 'every'>;

export function startWork(
  service: Working,
  parts: {
    store: StreamStore;
    streams: Streams;
    messenger: Pick<Messenger, 'send'>;
    bus: Pick<Bus, 'consume'>;
  },
): void {
  const { store, streams, messenger, bus } = parts;
  const intake = createIntake(service, store, streams);
  service.own('intake', () => intake.close());
  const queue = bus.consume('notifications', (message) => intake.add(message), {
    concurrency: messagesTogetherMax,
  });
  service.own('queue notifications', () => queue.close());

  service.every('look for new events', lookEveryMs, () => streams.wake());
  service.every('tell the menu', tellMenuEveryMs, async () => {
    if ((await store.tellMenu(service.env.nowMs())) > 0) await streams.wake();
  });
  service.every('send messages', lookEveryMs, async () => {
    const send = (rows: Parameters<typeof messagesOf>[0]) => messenger.send(messagesOf(rows));
    while ((await store.sendMessages(messagesAtOnce, send)) === messagesAtOnce);
  });
}

/** Messages that came while one transaction ran are taken in by the next, together. */
function createIntake({ env, log, metrics }: Working, store: StreamStore, streams: Streams) {
  return createBatcher<Message, undefined>({
    name: 'intake',
    env,
    run: async (messages) => {
      await store.take(messages.map(meaningOf), env.nowMs());
      streams.wake().catch((error) => log.warn({ error }, 'the tail could not be read'));
      return messages.map(() => undefined);
    },
    sizeMax: messagesTogetherMax,
    waitMsMax: 0,
    queueMax: messagesTogetherMax,
    ageMsMax: 60_000,
    concurrencyMax: 1,
    onBatch: ({ size }) => metrics.observe('batch_size', { batcher: 'intake' }, size),
  });
}
