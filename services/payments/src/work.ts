// What payments does of its own accord: it takes the messages of its queue, and carries on what was
// begun and not ended.

import type { BatchHandler, Bus, Service } from '@rushlight/chassis';
import type { Driver } from './driver.ts';

const resumeEveryMs = 500;
/** Two batches at a time: one is at the card provider while the other is written down. */
const batches = { messagesMax: 64, eventsMax: 2_000, pauseMs: 50, concurrency: 2 };

export function startWork(
  service: Pick<Service<unknown>, 'own' | 'every'>,
  { driver, bus }: { driver: Driver; bus: Pick<Bus, 'consumeBatches'> },
): void {
  const take: BatchHandler = (messages) => driver.takeMessages(messages);
  const consumer = bus.consumeBatches('payments', take, batches);
  service.own('queue payments', () => consumer.close());
  service.every('resume', resumeEveryMs, () => driver.resume());
}
