// What orders does of its own accord: it takes the messages of its queue, and sweeps.

import type { Bus, Service } from '@rushlight/chassis';
import { takeMessage } from './messages.ts';
import type { OrderStore } from './store.ts';
import { sweep } from './sweeper.ts';

const sweepEveryMs = 500;
const messagesAtOnce = 4;

export function startWork(
  service: Pick<Service<unknown>, 'env' | 'metrics' | 'own' | 'every'>,
  { store, bus }: { store: OrderStore; bus: Pick<Bus, 'consume'> },
): void {
  const { env, metrics } = service;
  const queue = bus.consume('orders', (message) => takeMessage(store, message, env.nowMs()), {
    concurrency: messagesAtOnce,
  });
  service.own('queue orders', () => queue.close());
  service.every('sweep', sweepEveryMs, () => sweep({ store, env, metrics }));
}
