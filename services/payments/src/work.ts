// What payments does of its own accord: it takes the messages of its queue, and carries on what was
// begun and not ended.

import type { Bus, Service } from '@rushlight/chassis';
import type { Driver } from './driver.ts';

const resumeEveryMs = 500;
const messagesAtOnce = 4;

export function startWork(
  service: Pick<Service<unknown>, 'own' | 'every'>,
  { driver, bus }: { driver: Driver; bus: Pick<Bus, 'consume'> },
): void {
  const consumer = bus.consume('payments', (message) => driver.takeMessage(message), {
    concurrency: messagesAtOnce,
  });
  service.own('queue payments', () => consumer.close());
  service.every('resume', resumeEveryMs, () => driver.resume());
}
