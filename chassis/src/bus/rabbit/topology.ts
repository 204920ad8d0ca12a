// What we have in a RabbitMQ, declared by whoever connects. Every option is given, so that a broker
// with other defaults (a delivery limit of 20 since 4.0, which drops) gives the same queues.
//
// T1. Everything that must last is in quorum queues. Full ones refuse; none of them drops.
// T2. What the broker itself gives up on goes to the dead letters of its queue, at least once.
// T3. A message that is put off lies in one of two queues without a consumer until its time is over,
//     and goes back to its queue. A long wait ahead of a short one delays it: hence two.

import { type broadcasts, type QueueName, queueNames, queues } from '@rushlight/contracts';
import type { Channel } from 'rabbitmq-client';
import type { DeliveryPolicy } from '../delivery.ts';

export const events = 'rushlight';
export const hints = 'rushlight.broadcasts';

/** The queues that belong to one of ours. */
export type Family = {
  work: string;
  /** What is handled alone (D4). */
  suspects: string;
  /** From short waits to long ones. */
  delays: readonly { queue: string; mostMs: number }[];
  dead: string;
};

/** So many messages (batches of events), and publishing waits until some are consumed. */
const messagesMax = 200_000;
/** What counts tries is ours; this one only ends what would never end. */
const deliveriesMax = 10_000;
const noLimit = 1_000_000_000;
/** Hints that are older are worth nothing, and of too many the newest matter. */
const hintMsMax = 10_000;
const hintsMax = 1_000;

type Arguments = Record<string, string | number>;

export function familyOf(queue: QueueName, policy: DeliveryPolicy): Family {
  const work = `rushlight.${queue}`;
  const { backoffMsMin, backoffMsMax } = policy;
  const middleMs = Math.ceil(Math.sqrt(backoffMsMin * backoffMsMax));
  const delays = [middleMs, backoffMsMax].map((mostMs) => ({
    queue: `${work}.delayed-${mostMs}ms`,
    mostMs,
  }));
  return { work, suspects: `${work}.suspects`, delays, dead: `${work}.dead` };
}

/** Declares all of it; what is there already must be the same. */
export async function declareTopology(channel: Channel, policy: DeliveryPolicy): Promise<void> {
  for (const exchange of [events, hints]) {
    await channel.exchangeDeclare({ exchange, type: 'topic', durable: true });
  }
  for (const queue of queueNames) {
    await declareFamily(channel, familyOf(queue, policy));
    for (const topic of queues[queue]) {
      const work = familyOf(queue, policy).work;
      await channel.queueBind({ queue: work, exchange: events, routingKey: topic });
    }
  }
}

async function declareFamily(channel: Channel, family: Family): Promise<void> {
  const declare = (queue: string, more: Arguments): Promise<unknown> =>
    channel.queueDeclare({ queue, durable: true, arguments: { ...lasting, ...more } });
  const toDead = { ...deadLettered(family.dead), 'x-delivery-limit': deliveriesMax };
  await declare(family.dead, { 'x-delivery-limit': noLimit });
  await declare(family.work, toDead);
  await declare(family.suspects, toDead);
  for (const { queue, mostMs } of family.delays) {
    const back = { ...deadLettered(family.work), 'x-delivery-limit': noLimit };
    await declare(queue, { ...back, 'x-message-ttl': mostMs });
  }
}

const lasting: Arguments = {
  'x-queue-type': 'quorum',
  'x-overflow': 'reject-publish',
  'x-max-length': messagesMax,
};

/** Through the exchange that has no name, which leads to each queue by its name. */
function deadLettered(to: string): Arguments {
  return {
    'x-dead-letter-strategy': 'at-least-once',
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': to,
  };
}

/** A queue for the hints that one listener hears: gone with its connection. Returns its name. */
export async function declareEar(
  channel: Channel,
  topics: readonly (typeof broadcasts)[number][],
): Promise<string> {
  const { queue } = await channel.queueDeclare({
    queue: '',
    exclusive: true,
    autoDelete: true,
    durable: false,
    arguments: {
      'x-queue-type': 'classic',
      'x-overflow': 'drop-head',
      'x-max-length': hintsMax,
      'x-message-ttl': hintMsMax,
    },
  });
  for (const topic of topics)
    await channel.queueBind({ queue, exchange: hints, routingKey: topic });
  return queue;
}
