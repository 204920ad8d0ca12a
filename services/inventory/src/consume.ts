// What inventory does with the messages of its queue. Each operation is one of the store; when it
// returns, it is committed, and the message may be acknowledged.
//
// Payments come in a stream of messages for the same few items: all that wait are sold together, in
// one transaction. The others go one by one.

import type { Log, Metrics } from '@rushlight/chassis';
import type { Message, Topic } from '@rushlight/contracts';
import type { InventoryStore } from './store.ts';

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
  const { unknown } = await store.commitPaid(messages);
  const orders = messages.reduce((sum, { events }) => sum + events.length, 0);
  metrics.count('stock_updates_total', { operation: 'committed' }, orders);
  for (const [item, portions] of portionsOf(messages)) {
    metrics.count('portions_sold_total', { item }, portions);
  }
  if (unknown.length > 0) log.error({ orderIds: unknown }, 'paid orders without a hold');
}

function portionsOf(messages: readonly Paid[]): Map<string, number> {
  const portions = new Map<string, number>();
  for (const { events } of messages) {
    for (const { lines } of events) {
      for (const { itemId, quantity } of lines) {
        portions.set(itemId, (portions.get(itemId) ?? 0) + quantity);
      }
    }
  }
  return portions;
}

async function decide({ store, metrics }: Parts, message: Other): Promise<void> {
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
