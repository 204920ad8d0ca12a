// The outbox in Postgres: events written by the transaction that made them true, until the bus has
// them.
//
// O1. A row is claimed by locking it, wherever it stands: ids commit out of order, so "greater than
//     the last one seen" would lose rows.
// O2. A row is gone only after the bus confirmed it. When the relay dies in between, it is published
//     again with the same id.
// O3. What this process has just committed is relayed from memory: nobody reads it back. The table is
//     the net below: it holds each row until the bus confirmed, and whatever the memory lost is
//     claimed from there.

import assert from 'node:assert/strict';
import type { EventOf, Message, Topic } from '@rushlight/contracts';
import type { PoolClient } from 'pg';
import { storedFrom, type WrittenMessage } from '../bus/delivery.ts';
import type { Environment } from '../environment.ts';
import type { Span } from '../tracing/span.ts';
import { formatTraceparent } from '../tracing/trace-context.ts';
import { asUnavailable } from './failures.ts';
import type { ConnectionPool } from './pool.ts';
import type { Outbox } from './store.ts';

/** Events per message at most; what is emitted together and exceeds it becomes several messages. */
export const eventsPerMessageMax = 500;

export type OutboxRow = {
  id: string;
  topic: Topic;
  at_ms: number;
  traceparent: string | null;
  events: string;
};

/** What one transaction emits: a message per topic when it ends, more where it exceeds the limit. */
export class Emitted {
  readonly #env: Pick<Environment, 'newId' | 'nowMs'>;
  readonly #span: Span | undefined;
  readonly #events = new Map<Topic, unknown[]>();

  /** @param span of the transaction; it is named beside what is emitted */
  constructor(env: Pick<Environment, 'newId' | 'nowMs'>, span?: Span) {
    this.#env = env;
    this.#span = span;
  }

  add<T extends Topic>(topic: T, events: readonly EventOf<T>[]): void {
    const before = this.#events.get(topic) ?? [];
    if (events.length > 0) this.#events.set(topic, before.concat(events));
    this.#span?.adopt(events);
  }

  messages(): WrittenMessage[] {
    const trace = this.#span && formatTraceparent(this.#span);
    const messages: WrittenMessage[] = [];
    for (const [topic, all] of this.#events) {
      for (let from = 0; from < all.length; from += eventsPerMessageMax) {
        const events = all.slice(from, from + eventsPerMessageMax);
        messages.push({
          id: this.#env.newId(),
          topic,
          atMs: Math.trunc(this.#env.nowMs()),
          ...(trace === undefined ? {} : { traceparent: trace }),
          events,
          eventsText: JSON.stringify(events),
        } as WrittenMessage);
      }
    }
    return messages;
  }
}

/** What stands in the outbox of this message. */
export function rowOf(message: WrittenMessage): OutboxRow {
  const { id, topic, atMs, traceparent, events } = storedFrom(message);
  return { id, topic: topic as Topic, at_ms: atMs, traceparent, events };
}

export async function insertOutboxRows(
  client: PoolClient,
  messages: readonly WrittenMessage[],
): Promise<void> {
  if (messages.length === 0) return;
  const rows = messages.map(rowOf);
  await client.query({
    name: 'chassis_outbox_add',
    text: `INSERT INTO outbox (id, topic, at_ms, traceparent, events)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[])`,
    values: [
      rows.map((row) => row.id),
      rows.map((row) => row.topic),
      rows.map((row) => row.at_ms),
      rows.map((row) => row.traceparent),
      rows.map((row) => row.events),
    ],
  });
}

/** A row of a bus or outbox table as the message that it holds. */
export function messageOf(row: Omit<OutboxRow, 'topic'> & { topic: string }): Message {
  const events: unknown = JSON.parse(row.events);
  assert(Array.isArray(events), `message ${row.id} holds no list of events`);
  return {
    id: row.id,
    topic: row.topic,
    atMs: row.at_ms,
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    events,
  } as Message;
}

const claim = {
  name: 'chassis_outbox_claim',
  text: `DELETE FROM outbox WHERE id = ANY (ARRAY(
           SELECT id FROM outbox WHERE written_at <= now() - $2 * interval '1 millisecond'
           ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
         )) RETURNING id, topic, at_ms, traceparent, events`,
};
const remove = {
  name: 'chassis_outbox_remove',
  text: 'DELETE FROM outbox WHERE id = ANY ($1::uuid[])',
};
/** A delete that a crash of the server undoes is published again, so it need not be flushed. */
const unflushed = 'SET LOCAL synchronous_commit TO off';

/** Messages kept in memory for the relay; what exceeds it is read from the table. */
const newMax = 200;

export function postgresOutbox(options: {
  pool: ConnectionPool;
  name: string;
}): Outbox & { written(messages: readonly WrittenMessage[]): void } {
  const { pool, name } = options;
  const wakes = new Set<() => void>();
  let written: WrittenMessage[] = [];

  return {
    written: (messages) => {
      if (messages.length === 0) return;
      written.push(...messages.slice(0, newMax - written.length));
      for (const wake of wakes) wake();
    },
    relayNew: async (limit, publish) => {
      const messages = written.splice(0, limit);
      if (messages.length === 0) return 0;
      await publish(messages);
      await inTransaction(pool, name, async (client) => {
        await client.query({ ...remove, values: [messages.map(({ id }) => id)] });
      });
      return messages.length;
    },
    relay: (limit, publish, olderThanMs = 0) =>
      inTransaction(pool, name, async (client) => {
        const { rows } = await client.query<OutboxRow>({ ...claim, values: [limit, olderThanMs] });
        const claimed = new Set(rows.map(({ id }) => id));
        written = written.filter(({ id }) => !claimed.has(id));
        if (rows.length > 0) await publish(rows.map(messageOf));
        return rows.length;
      }),
    depth: async () => {
      const client = await pool.take();
      try {
        const { rows } = await client.query<{ count: number }>('SELECT count(*) FROM outbox');
        pool.give(client);
        return rows[0]?.count ?? 0;
      } catch (error) {
        pool.give(client, error);
        throw asUnavailable(name, error);
      }
    },
    onWritten: (wake) => wakes.add(wake),
  };
}

async function inTransaction<T>(
  pool: ConnectionPool,
  name: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.take();
  try {
    const begun = client.query(`${pool.begin}; ${unflushed}`);
    begun.catch(() => {});
    const result = await work(client);
    await begun;
    await client.query('COMMIT');
    pool.give(client);
    return result;
  } catch (error) {
    await undo(pool, client, error);
    throw asUnavailable(name, error);
  }
}

/** The error may be the bus's: then this connection is well, and its rows are put back. */
async function undo(pool: ConnectionPool, client: PoolClient, error: unknown): Promise<void> {
  try {
    await client.query('ROLLBACK');
    pool.give(client);
  } catch {
    pool.give(client, error);
  }
}
