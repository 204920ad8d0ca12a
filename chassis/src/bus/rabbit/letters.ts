// The dead letters, which lie in a queue per queue.
//
// A queue is not made to be looked through. Whoever does takes out all of it, up to a limit, without
// acknowledging, and lets it go back: so two processes that look at the same time see parts of it.

import { type DeadLetter, type QueueName, queueNames } from '@rushlight/contracts';
import type { Channel, SyncMessage } from 'rabbitmq-client';
import type { Environment } from '../../environment.ts';
import type { DeadLetters } from '../bus.ts';
import { type DeliveryPolicy, derivedId, readableEvents } from '../delivery.ts';
import { noFate, readDeath, readFate, readStored, toQueue } from './frames.ts';
import type { Publisher } from './publisher.ts';
import { familyOf } from './topology.ts';
import type { Wire } from './wire.ts';

export type LettersParts = {
  wire: Wire;
  publisher: Publisher;
  env: Environment;
  policy: DeliveryPolicy;
  ready(queue: string): Promise<number>;
};

const lettersMax = 100;
const scannedMax = 10_000;
const scanMsMax = 15_000;
const backMsMax = 1_000;
const backPollMs = 5;

type Found = { queue: QueueName; incoming: SyncMessage; letter: DeadLetter; diedAtMs: number };

export function deadLettersOf(parts: LettersParts): DeadLetters {
  const { wire, publisher, policy, ready } = parts;
  let last: Promise<unknown> = Promise.resolve();
  /** One look at a time, on a channel of its own; what was taken out goes back with it. */
  const look = <T>(work: (channel: Channel, found: Found[]) => Promise<T>): Promise<T> => {
    const result = last.then(async () => {
      const channel = await wire.channel();
      const found: Found[] = [];
      try {
        await scanAll(parts, channel, found);
        return await work(channel, found);
      } finally {
        await wire.answer('closing a channel', channel.close());
        await wentBack(parts, found);
      }
    });
    last = result.catch(() => {});
    return result;
  };
  const remove = (id: string, before: (found: Found) => Promise<void>): Promise<boolean> =>
    look(async (channel, found) => {
      const same = found.filter(({ letter }) => letter.id === id);
      const [first] = same;
      if (!first) return false;
      await before(first);
      for (const one of same) {
        channel.basicAck({ deliveryTag: one.incoming.deliveryTag });
        found.splice(found.indexOf(one), 1);
      }
      return true;
    });
  return {
    list: () =>
      look(async (_channel, found) => {
        const newest = found.toSorted((one, other) => other.diedAtMs - one.diedAtMs);
        const byId = new Map(newest.map(({ letter }) => [letter.id, letter]));
        return [...byId.values()].slice(0, lettersMax);
      }),
    replay: (id) =>
      remove(id, async ({ queue, incoming }) => {
        const { work } = familyOf(queue, policy);
        await publisher.send([toQueue(work, readStored(incoming), noFate)]);
      }),
    drop: (id) => remove(id, async () => {}),
    counts: async () => {
      const counts: { queue: QueueName; count: number }[] = [];
      for (const queue of queueNames.toSorted()) {
        const count = await ready(familyOf(queue, policy).dead);
        if (count > 0) counts.push({ queue, count });
      }
      return counts;
    },
  };
}

async function scanAll(parts: LettersParts, channel: Channel, found: Found[]): Promise<void> {
  const { wire, env, policy } = parts;
  const endMs = env.monotonicMs() + scanMsMax;
  for (const queue of queueNames) {
    const { dead } = familyOf(queue, policy);
    for (let scanned = 0; scanned < scannedMax && env.monotonicMs() < endMs; scanned += 1) {
      const incoming = await wire.answer('a letter', channel.basicGet({ queue: dead }));
      if (!incoming) break;
      found.push(letterIn(queue, incoming));
    }
  }
}

/** The broker takes its time to give back; the next look must find them again. */
async function wentBack({ env, policy, ready }: LettersParts, found: Found[]): Promise<void> {
  const endMs = env.monotonicMs() + backMsMax;
  for (const queue of new Set(found.map((one) => one.queue))) {
    const { dead } = familyOf(queue, policy);
    const expected = found.filter((one) => one.queue === queue).length;
    while ((await ready(dead)) < expected && env.monotonicMs() < endMs) {
      await env.sleep(backPollMs);
    }
  }
}

function letterIn(queue: QueueName, incoming: SyncMessage): Found {
  const { id, topic, events } = readStored(incoming);
  const { error, diedAtMs } = readDeath(incoming);
  const letter: DeadLetter = {
    id: derivedId(`${queue}/${id}`),
    queue,
    topic,
    attempts: readFate(incoming).attempts,
    error,
    diedAt: new Date(diedAtMs).toISOString(),
    events: readableEvents(events),
  };
  return { queue, incoming, letter, diedAtMs };
}
