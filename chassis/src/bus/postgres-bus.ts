// The embedded bus: queues in a Postgres database of its own. "Confirmed" means committed there, so
// the failure windows between a service's database and the bus are those of any broker.
//
// It uses at most three connections per process: two to publish and to ask, and one lasting link
// that hears and consumes (see link.ts).

import {
  type BroadcastTopic,
  isBroadcast,
  type Message,
  type QueueName,
  queuesOf,
} from '@rushlight/contracts';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import { readDatabaseUrl } from '../store/database-url.ts';
import { migrate } from '../store/migrations.ts';
import { type ConnectionPool, openPool } from '../store/pool.ts';
import { onConnection, run } from '../store/postgres.ts';
import type { Statement } from '../store/store.ts';
import { broadcastPayloads, readBroadcast } from './broadcast.ts';
import type { Bus, DeadLetters, Subscription } from './bus.ts';
import { type ConsumerParts, startConsumer } from './consumer.ts';
import {
  type DeliveryPolicy,
  defaultDeliveryPolicy,
  readableEvents,
  storedFrom,
} from './delivery.ts';
import { oneByOne, single } from './hand-over.ts';
import type { BusHooks } from './hooks.ts';
import { byIndex, type Link, openLink } from './link.ts';
import * as sql from './queue-statements.ts';

export type PostgresBusOptions = {
  url: string;
  /** Who connects; stands in pg_stat_activity. */
  name: string;
  env: Environment;
  log: Log;
  hooks?: BusHooks;
  policy?: Partial<DeliveryPolicy>;
  /** How often a queue is looked at without being told, 500 ms unless given. */
  pollMs?: number;
  /** After how much silence a consumer counts as frozen, 30 s unless given. */
  silenceMs?: number;
  /** How long `close` waits for the handlers that run, 5 s unless given. */
  drainMsMax?: number;
};

type Ask = <Row extends object>(
  statement: Statement,
  values?: readonly unknown[],
) => Promise<Row[]>;

const poolSize = 2;
const part = 'bus';

/**
 * Brings the bus database up to date, then opens the bus.
 *
 * @throws UnavailableError when it cannot be reached
 */
export async function openPostgresBus(options: PostgresBusOptions): Promise<Bus> {
  const { url, name, env, log } = options;
  if (readDatabaseUrl(url).isPooled) {
    throw new Error(
      'The URL of the bus says pgbouncer=true, but the embedded bus hears and claims by a session ' +
        'of its own. Give RUSHLIGHT_BUS_URL a direct connection, or use RabbitMQ (amqp://).',
    );
  }
  await migrate(url, [
    { folder: new URL('./migrations/', import.meta.url), table: 'bus_migrations' },
  ]);
  const hooks = options.hooks ?? {};
  const pool = openPool({ url, name, env, log, sizeMax: poolSize, options: byIndex });
  const ask: Ask = (statement, values = []) =>
    onConnection(pool, part, (client) => run(client, statement, values));
  const link = openLink({ url, name, env, log, silenceMs: options.silenceMs ?? 30_000 });
  const parts: ConsumerParts = {
    link,
    env,
    log,
    hooks,
    policy: { ...defaultDeliveryPolicy, ...options.policy },
    pollMs: options.pollMs ?? 500,
    drainMsMax: options.drainMsMax ?? 5_000,
  };
  const subscriptions = new Set<Subscription>();
  const remember = (subscription: Subscription): Subscription => {
    subscriptions.add(subscription);
    return subscription;
  };
  let closing: Promise<void> | undefined;

  return {
    publish: (messages) => publish(ask, hooks, messages),
    consume: (queue, handle, consumeOptions) =>
      remember(startConsumer(parts, queue, oneByOne(handle), single(consumeOptions))),
    consumeBatches: (queue, handle, batchOptions = {}) =>
      remember(startConsumer(parts, queue, handle, batchOptions)),
    listen: (topics, hear, resync) =>
      remember(listenTo(link, topics, hear as (message: Message) => void, resync)),
    deadLetters: deadLettersOf(ask),
    depth: async (queue) =>
      (await ask<{ count: number }>(sql.countMessages, [queue]))[0]?.count ?? 0,
    oldestMs: async (queue) =>
      (await ask<{ age_ms: number }>(sql.ageOfOldest, [queue]))[0]?.age_ms ?? 0,
    ping: async () => {
      await ask({ name: 'bus_ping', text: 'SELECT 1 AS one' });
    },
    close: () => {
      closing ??= closeAll(subscriptions, link, pool);
      return closing;
    },
  };
}

async function publish(ask: Ask, hooks: BusHooks, messages: readonly Message[]): Promise<void> {
  if (messages.length === 0) return;
  const stored = messages.map(storedFrom);
  const targets = messages.flatMap(({ topic }, index) =>
    queuesOf(topic).map((queue) => ({ n: index + 1, queue })),
  );
  const hints = messages.flatMap((message) =>
    isBroadcast(message.topic)
      ? broadcastPayloads(message).map((payload) => ({
          channel: sql.broadcastChannel(message.topic),
          payload,
          queue: null as string | null,
        }))
      : [],
  );
  for (const queue of new Set(targets.map((target) => target.queue))) {
    hints.push({ channel: sql.queueChannel(queue), payload: '', queue });
  }
  await ask(sql.publish, [
    stored.map(({ id }) => id),
    stored.map(({ topic }) => topic),
    stored.map(({ atMs }) => atMs),
    stored.map(({ traceparent }) => traceparent),
    stored.map(({ events }) => events),
    targets.map(({ n }) => n),
    targets.map(({ queue }) => queue),
    hints.map(({ channel }) => channel),
    hints.map(({ payload }) => payload),
    hints.map(({ queue }) => queue),
  ]);
  for (const { topic } of messages) hooks.onPublished?.(topic, 1);
}

function listenTo(
  link: Link,
  topics: readonly BroadcastTopic[],
  hear: (message: Message) => void,
  resync: () => void,
): Subscription {
  const heard = (payload: string): void => {
    const message = readBroadcast(payload);
    if (message) hear(message);
  };
  // One resync per connection, however many topics.
  const deafen = topics.map((topic, index) =>
    link.hear(sql.broadcastChannel(topic), heard, index === topics.length - 1 ? resync : () => {}),
  );
  return {
    close: async () => {
      for (const stop of deafen) stop();
    },
  };
}

type LetterRow = {
  letter_id: string;
  queue: string;
  topic: string;
  attempts: number;
  error: string;
  died_at: Date;
  events: string;
};

function deadLettersOf(ask: Ask): DeadLetters {
  return {
    list: async () =>
      (await ask<LetterRow>(sql.listLetters)).map((row) => ({
        id: row.letter_id,
        queue: row.queue,
        topic: row.topic,
        attempts: row.attempts,
        error: row.error,
        diedAt: row.died_at.toISOString(),
        events: readableEvents(row.events),
      })),
    replay: async (id) => isUuid(id) && (await ask(sql.replayLetter, [id])).length > 0,
    drop: async (id) => isUuid(id) && (await ask(sql.dropLetter, [id])).length > 0,
    counts: () => ask<{ queue: QueueName; count: number }>(sql.countLetters),
  };
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

async function closeAll(
  subscriptions: ReadonlySet<Subscription>,
  link: Link,
  pool: ConnectionPool,
): Promise<void> {
  await Promise.all([...subscriptions].map((subscription) => subscription.close()));
  await link.close();
  await pool.close();
}
