// The bus in memory: the same promises as the embedded one, on the time and chance it is given.
// The broker is what all processes share; each process connects to it, and may die alone.

import {
  type BroadcastTopic,
  isBroadcast,
  type Message,
  type QueueName,
  queueNames,
  queuesOf,
} from '@rushlight/contracts';
import type { Environment } from '../environment.ts';
import { UnavailableError } from '../store/store.ts';
import { within } from '../within.ts';
import type { BatchHandler, BatchOptions, Bus, DeadLetters, Subscription } from './bus.ts';
import {
  consumerDied,
  type DeliveryPolicy,
  defaultDeliveryPolicy,
  inspect,
  isSuspect,
  type Letter,
  letterOf,
  readableEvents,
  type StoredMessage,
  storedFrom,
  verdictOn,
} from './delivery.ts';
import { type BatchLimits, batchLimits, handOver, oneByOne, single } from './hand-over.ts';
import type { BusHooks, ConsumeOutcome } from './hooks.ts';

export type MemoryBrokerOptions = {
  env: Environment;
  policy?: Partial<DeliveryPolicy>;
  hooks?: BusHooks;
  /** How long `close` waits for the handlers that run, 5 s unless given. */
  drainMsMax?: number;
};

export type MemoryBus = Bus & {
  /** The process dies: its handlers' outcomes count no more, what it held is free at once. */
  crash(): void;
};

export type MemoryBroker = {
  connect(): MemoryBus;
  /** While it is down, whatever is asked of it fails. It keeps what it has. */
  setDown(down: boolean): void;
};

type Kept = {
  stored: StoredMessage;
  attempts: number;
  delays: number;
  deaths: number;
  /** Put off: a timer brings it back. */
  resting: boolean;
  owner: symbol | undefined;
};
type Ear = {
  topics: readonly BroadcastTopic[];
  hear: (message: Message) => void;
  resync: () => void;
};
type Burial = Letter & { queue: QueueName; diedAtMs: number };
type Broker = {
  env: Environment;
  policy: DeliveryPolicy;
  hooks: BusHooks;
  drainMsMax: number;
  queues: Map<QueueName, Map<string, Kept>>;
  letters: Map<string, Burial>;
  ears: Set<Ear>;
  /** Looks whether somebody can take something from this queue. */
  pumps: Map<QueueName, Set<() => void>>;
  down: boolean;
};

export function createMemoryBroker(options: MemoryBrokerOptions): MemoryBroker {
  const broker: Broker = {
    env: options.env,
    policy: { ...defaultDeliveryPolicy, ...options.policy },
    hooks: options.hooks ?? {},
    drainMsMax: options.drainMsMax ?? 5_000,
    queues: new Map(queueNames.map((name) => [name, new Map()])),
    letters: new Map(),
    ears: new Set(),
    pumps: new Map(queueNames.map((name) => [name, new Set()])),
    down: false,
  };
  return {
    connect: () => connect(broker),
    setDown: (down) => {
      broker.down = down;
      if (down) return;
      for (const ear of broker.ears) ear.resync();
      for (const name of queueNames) wake(broker, name);
    },
  };
}

function connect(broker: Broker): MemoryBus {
  const subscriptions = new Set<Subscription & { crash(): void }>();
  const remember = (subscription: Subscription & { crash(): void }): Subscription => {
    subscriptions.add(subscription);
    return subscription;
  };
  return {
    publish: async (messages) => publish(broker, messages),
    consume: (queue, handle, options) =>
      remember(consume(broker, queue, oneByOne(handle), single(options))),
    consumeBatches: (queue, handle, options = {}) =>
      remember(consume(broker, queue, handle, options)),
    listen: (topics, hear, resync) =>
      remember(listen(broker, { topics, hear: hear as (message: Message) => void, resync })),
    deadLetters: deadLettersOf(broker),
    depth: async (queue) => queueOf(broker, queue).size,
    oldestMs: async (queue) => {
      const published = [...queueOf(broker, queue).values()].map(({ stored }) => stored.atMs);
      return published.length === 0 ? 0 : Math.max(0, broker.env.nowMs() - Math.min(...published));
    },
    ping: async () => assertUp(broker),
    close: async () => {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    },
    crash: () => {
      for (const subscription of subscriptions) subscription.crash();
    },
  };
}

function publish(broker: Broker, messages: readonly Message[]): void {
  assertUp(broker);
  for (const message of messages) {
    for (const queue of queuesOf(message.topic)) keep(broker, queue, storedFrom(message));
    broker.hooks.onPublished?.(message.topic, 1);
    if (!isBroadcast(message.topic)) continue;
    const copy = inspect('broadcast', storedFrom(message), 1).message;
    if (!copy) continue;
    for (const ear of broker.ears) {
      if ((ear.topics as readonly string[]).includes(copy.topic)) ear.hear(copy);
    }
  }
}

function keep(broker: Broker, queue: QueueName, stored: StoredMessage): void {
  const kept = queueOf(broker, queue);
  if (kept.has(stored.id)) return;
  const fresh = { attempts: 0, delays: 0, deaths: 0, resting: false, owner: undefined };
  kept.set(stored.id, { stored, ...fresh });
  wake(broker, queue);
}

function consume(
  broker: Broker,
  queue: QueueName,
  handle: BatchHandler,
  options: BatchOptions,
): Subscription & { crash(): void } {
  const { env } = broker;
  const limits = batchLimits(options);
  const handlesAlone = limits.concurrency * limits.messagesMax === 1;
  const owner = Symbol(queue);
  const running = new Set<Promise<void>>();
  let suspectRuns = false;
  let takenMs = Number.NEGATIVE_INFINITY;
  let pausing = false;
  const pumps = broker.pumps.get(queue) ?? new Set();
  const kept = queueOf(broker, queue);

  const start = (entries: readonly Kept[]): void => {
    for (const entry of entries) {
      entry.owner = owner;
      entry.attempts += 1;
    }
    const work = deliver({ broker, queue, handle, owner, limits }, entries).finally(() => {
      running.delete(work);
      suspectRuns = false;
      pump();
    });
    running.add(work);
  };
  const pump = (): void => {
    if (pausing || !pumps.has(pump)) return;
    while (!broker.down && running.size < limits.concurrency && !suspectRuns) {
      const next = nextOf(kept.values(), running.size === 0, limits.messagesMax);
      if (next.length === 0) return;
      const leftMs = takenMs + limits.pauseMs - env.monotonicMs();
      if (leftMs > 0) {
        pausing = true;
        env.after(leftMs, () => {
          pausing = false;
          pump();
        });
        return;
      }
      takenMs = env.monotonicMs();
      suspectRuns = next.some(isSuspect);
      start(next);
    }
  };
  pumps.add(pump);
  pump();
  return {
    close: async () => {
      pumps.delete(pump);
      const drained = async (): Promise<void> => {
        while (running.size > 0) await Promise.all(running);
      };
      await within(env, broker.drainMsMax, drained());
    },
    crash: () => {
      pumps.delete(pump);
      for (const entry of kept.values()) {
        if (entry.owner !== owner) continue;
        entry.owner = undefined;
        if (!handlesAlone && !isSuspect(entry)) entry.attempts -= 1;
        entry.deaths += 1;
      }
      wake(broker, queue);
    },
  };
}

/** The oldest that are free; a suspect is taken alone, when nothing else runs. */
function nextOf(entries: Iterable<Kept>, nothingRuns: boolean, most: number): Kept[] {
  const next: Kept[] = [];
  for (const entry of entries) {
    if (next.length === most) break;
    if (entry.owner || entry.resting) continue;
    if (isSuspect(entry)) return next.length === 0 && nothingRuns ? [entry] : next;
    next.push(entry);
  }
  return next;
}

type Delivery = {
  broker: Broker;
  queue: QueueName;
  handle: BatchHandler;
  owner: symbol;
  limits: BatchLimits;
};

async function deliver(delivery: Delivery, entries: readonly Kept[]): Promise<void> {
  await Promise.resolve(); // Never within the publisher's own turn.
  const { broker, queue, handle, owner, limits } = delivery;
  const { attemptsMax } = broker.policy;
  const kept = queueOf(broker, queue);
  const sound: Message[] = [];
  const tried: Kept[] = [];
  for (const entry of entries) {
    const message = readSound(broker, queue, entry);
    if (message) tried.push(entry);
    if (message && entry.attempts <= attemptsMax) sound.push(message);
  }
  const failed = await handOver(sound, handle, limits);
  for (const entry of tried) {
    if (entry.owner !== owner) continue; // We died meanwhile: somebody else has it.
    const { id, topic } = entry.stored;
    const doomed = entry.attempts > attemptsMax ? { error: consumerDied } : undefined;
    const failure = doomed ?? failed.get(id);
    if (!failure) kept.delete(id);
    const outcome = failure ? putAside(broker, queue, entry, failure.error) : 'handled';
    broker.hooks.onConsumed?.(topic, outcome);
  }
}

/** Its sound events, after those that are not were buried. */
function readSound(broker: Broker, queue: QueueName, entry: Kept): Message | undefined {
  const { message, dead } = inspect(queue, entry.stored, entry.attempts);
  for (const letter of dead) bury(broker, queue, letter);
  if (message) {
    if (dead.length > 0) entry.stored = storedFrom(message);
    return message;
  }
  queueOf(broker, queue).delete(entry.stored.id);
  broker.hooks.onConsumed?.(entry.stored.topic, 'dead');
  return undefined;
}

function putAside(broker: Broker, queue: QueueName, entry: Kept, error: unknown): ConsumeOutcome {
  const { env } = broker;
  const { stored } = entry;
  const kept = queueOf(broker, queue);
  const verdict = verdictOn(error, stored, entry, broker.policy, env);
  switch (verdict.kind) {
    case 'wait':
    case 'retry': {
      const waits = verdict.kind === 'wait';
      entry.attempts -= waits ? 1 : 0;
      entry.delays += 1;
      entry.owner = undefined;
      entry.resting = true;
      env.after(verdict.delayMs, () => {
        entry.resting = false;
        wake(broker, queue);
      });
      return waits ? 'waits' : 'retried';
    }
    case 'split':
      kept.delete(stored.id);
      for (const part of verdict.parts) keep(broker, queue, part);
      return 'split';
    case 'die':
      kept.delete(stored.id);
      bury(broker, queue, letterOf(queue, stored, entry.attempts, verdict.error));
      return 'dead';
  }
}

function listen(broker: Broker, ear: Ear): Subscription & { crash(): void } {
  broker.ears.add(ear);
  broker.env.after(0, () => {
    if (broker.ears.has(ear) && !broker.down) ear.resync();
  });
  const crash = (): void => {
    broker.ears.delete(ear);
  };
  return { close: async () => crash(), crash };
}

function deadLettersOf(broker: Broker): DeadLetters {
  const { letters } = broker;
  return {
    list: async () =>
      [...letters.values()]
        .reverse()
        .slice(0, 100)
        .map(({ letterId, queue, topic, attempts, error, diedAtMs, events }) => ({
          id: letterId,
          queue,
          topic,
          attempts,
          error,
          diedAt: new Date(diedAtMs).toISOString(),
          events: readableEvents(events),
        })),
    replay: async (id) => {
      const letter = letters.get(id);
      if (!letter) return false;
      letters.delete(id);
      keep(broker, letter.queue, letter);
      return true;
    },
    drop: async (id) => letters.delete(id),
    counts: async () =>
      queueNames
        .map((queue) => ({
          queue,
          count: [...letters.values()].filter((letter) => letter.queue === queue).length,
        }))
        .filter(({ count }) => count > 0),
  };
}

function bury(broker: Broker, queue: QueueName, letter: Letter): void {
  broker.letters.set(letter.letterId, { ...letter, queue, diedAtMs: broker.env.nowMs() });
}

function queueOf(broker: Broker, queue: QueueName): Map<string, Kept> {
  const kept = broker.queues.get(queue);
  if (!kept) throw new Error(`no such queue: ${queue}`);
  return kept;
}

function wake(broker: Broker, queue: QueueName): void {
  for (const pump of broker.pumps.get(queue) ?? []) pump();
}

function assertUp(broker: Broker): void {
  if (broker.down) throw new UnavailableError('bus', 'bus: it is down');
}
