// What the tests of a bus are written with.

import type { Message, QueueName } from '@rushlight/contracts';
import type { Bus, DeliveryPolicy, MessageHandler } from '../bus/index.ts';
import { realEnvironment as env } from '../environment.ts';
import { until } from './until.ts';

export type BrokerUnderTest = {
  /** Another process's connection to the same broker. */
  connect(): Promise<Bus>;
  /** What the broker sees when the process behind this connection is killed. */
  kill(bus: Bus): Promise<void>;
  /** It does not look at ids: what was published twice may be delivered twice (B2). */
  mayRepeat?: true;
} & AsyncDisposable;

/** With how much patience the buses under test must be made. */
export const conformancePolicy: DeliveryPolicy = {
  attemptsMax: 3,
  backoffMsMin: 5,
  backoffMsMax: 40,
};

export type Make = () => Promise<{ broker: BrokerUnderTest; connect: () => Promise<Bus> }>;

/** A message about orders that are decided; it goes to the queue `orders` and to no other. */
export function decided(count = 1): Message<'stock.decided'> {
  return {
    id: env.newId(),
    topic: 'stock.decided',
    atMs: 1_000,
    events: Array.from({ length: count }, () => ({ orderId: env.newId(), outcome: 'short' })),
  };
}

/** Handles by writing down. */
export function recorder(bus: Bus, queue: QueueName, handle: MessageHandler = async () => {}) {
  const seen: Message[] = [];
  const subscription = bus.consume(queue, async (message) => {
    seen.push(message);
    await handle(message);
  });
  return { seen, ids: () => seen.map(({ id }) => id), close: () => subscription.close() };
}

/**
 * Nothing waits any more. A broker may not see what is on its way: first wait for what must come.
 */
export const emptied = (bus: Bus, queue: QueueName): Promise<void> =>
  until(async () => (await bus.depth(queue)) === 0, { what: `an empty queue ${queue}` });

export async function letterCount(bus: Bus): Promise<number> {
  const counts = await bus.deadLetters.counts();
  return counts.reduce((sum, { count }) => sum + count, 0);
}
