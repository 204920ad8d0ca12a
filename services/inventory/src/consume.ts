// What inventory does with the messages of its queue. Each operation is one of the store; when it
// returns, it is committed, and the message may be acknowledged.
//
// Payments come in a stream of messages for the same few items: all that wait are sold together, in
// one transaction. The others go one by one.

import type { Log, Metrics } from '@rushlight/chassis';
import type { Message, Topic } from '@rushlight/contracts';
import { tellFailure } from './stock-counts.ts';
import { type InventoryStore, toRelease } from './store.ts';

type Parts = {
  store: InventoryStore;
  log: Log;
  metrics: Pick<Metrics, 'count' | 'observe'>;
};
type Paid = Message<'order.paid'>;
type Other = Message<'order.queued' | 'order.rejected' | 'order.cancelled'>;

/** Takes messages that wait. Those that were done before are passed over when they come again. */
export async function takeMessages(parts: Parts, messages: readonly Message[]): Promise<void> {
  const paid: Paid[] = [];
  const others: Other[] = [];
  for (const message of messages) {
    switch (message.topic) {
      case 'order.paid':
        paid.push(message);
        break;
      case 'order.queued':
      case 'order.rejected':
      case 'order.cancelled':
        others.push(message);
        break;
      default:
        throw new Error(`Inventory does not take ${message.topic satisfies Topic}`);
    }
  }
  if (paid.length > 0) await sell(parts, paid);
  for (const message of others) await decide(parts, message);
}

async function sell({ store, log, metrics }: Parts, messages: readonly Paid[]): Promise<void> {
  metrics.observe('batch_size', { batcher: 'paid' }, messages.length);
  const orders = messages.reduce((sum, { events }) => sum + events.length, 0);
  const write = () => store.commitPaid(messages);
  const { unknown } = await tellFailure(metrics, 'commit', orders, write);
  if (unknown.length > 0) log.error({ orderIds: unknown }, 'paid orders without a hold');
}

async function decide({ store, metrics }: Parts, message: Other): Promise<void> {
  if (message.topic === 'order.queued') {
    const orders = message.events.length;
    const write = () => store.reserveQueued(message);
    const decisions = await tellFailure(metrics, 'reserve', orders, write);
    const short = decisions.filter(({ outcome }) => outcome === 'short').length;
    metrics.count('stock_updates_total', { operation: 'reserve', result: 'short' }, short);
    return;
  }
  const write = () => store.releaseEnded(message);
  await tellFailure(metrics, 'release', toRelease(message).length, write);
}
