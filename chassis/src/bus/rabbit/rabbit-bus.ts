// The bus on RabbitMQ, 3.10 or newer. "Confirmed" means that a majority of the replicas of each queue
// has the message on its disk.
//
// What an interface that was made for a table cannot have from a broker is approximate here:
// - A message that is published twice may be delivered twice (B2 allows it: handlers have an inbox).
// - `depth` is what waits, as the broker says it, and what this process holds; what other processes
//   hold, or what is on its way between queues, is not in it.
// - `oldestMs` is the age of the oldest that this process holds. Of what waits nobody can see the age:
//   it is younger than what was taken last, and than the last look that found nothing waiting.

import { isBroadcast, type Message, type QueueName, queuesOf } from '@rushlight/contracts';
import type { Environment } from '../../environment.ts';
import type { Log } from '../../log.ts';
import { UnavailableError } from '../../store/store.ts';
import type { Bus, Subscription } from '../bus.ts';
import { type DeliveryPolicy, defaultDeliveryPolicy, storedFrom } from '../delivery.ts';
import { oneByOne, single } from '../hand-over.ts';
import type { BusHooks } from '../hooks.ts';
import { Asker } from './asker.ts';
import { type ConsumerParts, startConsumer } from './consumer.ts';
import { toAll, toEars } from './frames.ts';
import { startHearing } from './hearing.ts';
import { Holdings } from './holdings.ts';
import { deadLettersOf } from './letters.ts';
import { Publisher } from './publisher.ts';
import { events, hints } from './topology.ts';
import { mistakeIn, Wire } from './wire.ts';

export type RabbitBusOptions = {
  /** amqp(s)://user:password@host:port/virtual-host */
  url: string;
  /** Who connects; the broker shows it. */
  name: string;
  env: Environment;
  log: Log;
  hooks?: BusHooks;
  policy?: Partial<DeliveryPolicy>;
  /** The longest wait for an answer of the broker, 5 s unless given. */
  answerMsMax?: number;
  /** How long `publish` waits while the broker takes nothing, 5 s unless given. */
  blockedMsMax?: number;
  /** After twice that much silence a connection counts as lost, 10 s unless given. */
  heartbeatS?: number;
  /** How long `close` waits for the handlers that run, 5 s unless given. */
  drainMsMax?: number;
  /** Opens also while the broker cannot be reached, and connects when it can. */
  connectsLater?: boolean;
};

/**
 * Connects, and declares what is not there.
 *
 * @throws UnavailableError when it cannot be reached, unless it may be later; Error when it refuses us
 */
export async function openRabbitBus(options: RabbitBusOptions): Promise<Bus> {
  const { url, name, env, log, hooks = {}, answerMsMax = 5_000, heartbeatS = 10 } = options;
  const policy = { ...defaultDeliveryPolicy, ...options.policy };
  const wireOf = (use: string): Wire =>
    new Wire({ url, name: `${name} ${use}`, env, log, answerMsMax, heartbeatS });
  const [publishing, wire] = [wireOf('publishes'), wireOf('consumes')];
  const wires = [publishing, wire];
  const blockedMsMax = options.blockedMsMax ?? 5_000;
  const publisher = new Publisher({ wire: publishing, env, policy, blockedMsMax });
  await firstConnection(options, publisher, wires);
  const holdings = new Holdings();
  const asker = new Asker({ wire, holdings, env, policy });
  const drainMsMax = options.drainMsMax ?? 5_000;
  const parts: ConsumerParts = { wire, publisher, holdings, env, log, policy, drainMsMax, hooks };
  const subscriptions = new Set<Subscription>();
  const remember = (subscription: Subscription): Subscription => {
    subscriptions.add(subscription);
    return subscription;
  };
  let closing: Promise<void> | undefined;
  return {
    publish: (messages) => publish(publisher, hooks, messages),
    consume: (queue, handle, consumeOptions) =>
      remember(startConsumer(parts, queue, oneByOne(handle), single(consumeOptions))),
    consumeBatches: (queue, handle, batchOptions = {}) =>
      remember(startConsumer(parts, queue, handle, batchOptions)),
    listen: (topics, hear, resync) =>
      remember(startHearing(parts, topics, hear as (message: Message) => void, resync)),
    deadLetters: deadLettersOf({ ...parts, ready: (queue) => asker.ready(queue) }),
    depth: (queue: QueueName) => asker.depth(queue),
    oldestMs: (queue: QueueName) => asker.oldestMs(queue),
    ping: async () => {
      if (publishing.blocked !== undefined) {
        throw new UnavailableError('bus', `bus: it takes no messages: ${publishing.blocked}`);
      }
      await Promise.all([publisher.ready(), asker.ping()]);
    },
    close: () => {
      closing ??= closeAll(subscriptions, wires);
      return closing;
    },
  };
}

/** The first failure decides. */
async function firstConnection(
  { url, connectsLater = false }: Pick<RabbitBusOptions, 'url' | 'connectsLater'>,
  publisher: Publisher,
  wires: readonly Wire[],
): Promise<void> {
  const failed = Promise.race(wires.map((wire) => wire.firstFailure)).then((error) => {
    throw new UnavailableError('bus', `bus: ${error.message}`, { cause: error });
  });
  try {
    await Promise.race([publisher.ready(), failed]);
  } catch (error) {
    const mistake = mistakeIn(url, error);
    if (connectsLater && mistake === undefined) return;
    await Promise.all(wires.map((wire) => wire.close()));
    throw mistake ?? error;
  }
}

async function publish(
  publisher: Publisher,
  hooks: BusHooks,
  messages: readonly Message[],
): Promise<void> {
  const outgoing = messages.flatMap((message) => {
    const stored = storedFrom(message);
    const lasting = queuesOf(message.topic).length > 0 ? [toAll(events, stored)] : [];
    return isBroadcast(message.topic) ? [...lasting, toEars(hints, stored)] : lasting;
  });
  await publisher.send(outgoing);
  for (const { topic } of messages) hooks.onPublished?.(topic, 1);
}

async function closeAll(
  subscriptions: ReadonlySet<Subscription>,
  wires: readonly Wire[],
): Promise<void> {
  await Promise.all([...subscriptions].map((subscription) => subscription.close()));
  await Promise.all(wires.map((wire) => wire.close()));
}
