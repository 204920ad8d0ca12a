// What inventory does of its own accord: it takes the messages of its queue.

import type { Bus, Service } from '@rushlight/chassis';
import { createConsumer, messagesMax } from './consume.ts';
import type { InventoryStore } from './store.ts';

export function startWork(
  service: Pick<Service<unknown>, 'env' | 'log' | 'metrics' | 'own'>,
  { store, bus }: { store: InventoryStore; bus: Pick<Bus, 'consume'> },
): void {
  const { env, log, metrics } = service;
  const consumer = createConsumer({ store, env, log, metrics });
  service.own('consumer', () => consumer.close());
  const consuming = bus.consume('inventory', (message) => consumer.handle(message), {
    concurrency: messagesMax,
  });
  service.own('queue inventory', () => consuming.close());
}
