// What orders does of its own accord: it takes the messages of its queue, and sweeps.

import type { Bus, Service } from '@rushlight/chassis';
import { takeMessages } from './messages.ts';
import type { OrderStore } from './store.ts';
import { sweep } from './sweeper.ts';

const sweepEveryMs = 500;
/** One call at a time: what comes meanwhile is taken together by the next. */
const batches = { concurrency: 1, messagesMax: 32, eventsMax: 2_000, pauseMs: 50 };

export function startWork(
  service: Pick<Service<unknown>, 'env' | 'metrics' | 'own' | 'every'>,
  { store, bus }: { store: OrderStore; bus: Pick<Bus, 'consumeBatches'> },
): void {
  const { env, metrics } = service;
  const queue = bus.consumeBatches(
    'orders',
    (messages) => takeMessages(store, messages, env.nowMs()),
    batches,
  );
  service.own('queue orders', () => queue.close());
  service.every('sweep', sweepEveryMs, () => sweep({ store, env, metrics }));
}
