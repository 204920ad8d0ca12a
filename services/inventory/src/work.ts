// What inventory does of its own accord: it takes the messages of its queue.

import type { Bus, Service } from '@rushlight/chassis';
import { takeMessages } from './consume.ts';
import type { InventoryStore } from './store.ts';

/** One call at a time: two would wait for each other's items. */
const batches = { concurrency: 1, messagesMax: 32, eventsMax: 4_000, pauseMs: 50 };

export function startWork(
  service: Pick<Service<unknown>, 'log' | 'metrics' | 'own'>,
  { store, bus }: { store: InventoryStore; bus: Pick<Bus, 'consumeBatches'> },
): void {
  const { log, metrics } = service;
  const queue = bus.consumeBatches(
    'inventory',
    (messages) => takeMessages({ store, log, metrics }, messages),
    batches,
  );
  service.own('queue inventory', () => queue.close());
}
