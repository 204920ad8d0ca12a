// What inventory does with the messages of its queue. Each is one store operation; when it returns,
// it is committed, and the message may be acknowledged.
//
// Payments come in a stream of messages for the same few items: those that come while one
// transaction runs are sold by the next, together. The others go one by one, two at a time.

import { createBatcher, type Environment, type Log, type Metrics } from '@rushlight/chassis';
import type { Message, Topic } from '@rushlight/contracts';
import type { InventoryStore } from './store.ts';

type Parts = {
  store: InventoryStore;
  env: Environment;
  log: Log;
  metrics: Pick<Metrics, 'count' | 'observe'>;
};
type Ended = Message<'order.rejected' | 'order.cancelled'>;

export type Consumer = {
  handle(message: Message): Promise<void>;
  close(): Promise<void>;
};

/** Messages that may be in the hands of a consumer at the same time. */
export const messagesMax = 32;
const commonLimits = { waitMsMax: 0, queueMax: messagesMax, ageMsMax: 60_000 };

export function createConsumer(parts: Parts): Consumer {
  const { env, metrics } = parts;
  const paid = createBatcher<Message<'order.paid'>, undefined>({
    ...{ name: 'paid', env, ...commonLimits, sizeMax: messagesMax, concurrencyMax: 1 },
    run: async (messages) => {
      await sell(parts, messages);
      return messages.map(() => undefined);
    },
    onBatch: ({ size }) => metrics.observe('batch_size', { batcher: 'paid' }, size),
  });
  const others = createBatcher<Message<'order.queued'> | Ended, undefined>({
    ...{ name: 'others', env, ...commonLimits, sizeMax: 1, concurrencyMax: 2 },
    run: async (messages) => {
      for (const message of messages) await decide(parts, message);
      return messages.map(() => undefined);
    },
  });

  return {
    handle: async (message) => {
      switch (message.topic) {
        case 'order.paid':
          return paid.add(message);
        case 'order.queued':
        case 'order.rejected':
        case 'order.cancelled':
          return others.add(message);
        default:
          throw new Error(`Inventory does not take ${message.topic satisfies Topic}`);
      }
    },
    close: async () => {
      await Promise.all([paid.close(), others.close()]);
    },
  };
}

async function sell(
  { store, log, metrics }: Parts,
  messages: readonly Message<'order.paid'>[],
): Promise<void> {
  const { unknown } = await store.commitPaid(messages);
  const orders = messages.reduce((sum, { events }) => sum + events.length, 0);
  metrics.count('stock_updates_total', { operation: 'committed' }, orders);
  if (unknown.length > 0) log.error({ orderIds: unknown }, 'paid orders without a hold');
}

async function decide(
  { store, metrics }: Parts,
  message: Message<'order.queued'> | Ended,
): Promise<void> {
  if (message.topic === 'order.queued') {
    const decisions = await store.reserveQueued(message);
    const reserved = decisions.filter(({ outcome }) => outcome === 'reserved').length;
    metrics.count('stock_updates_total', { operation: 'reserved' }, reserved);
    return;
  }
  await store.releaseEnded(message);
  const released = message.events.filter((event) => event.release).length;
  metrics.count('stock_updates_total', { operation: 'released' }, released);
}
