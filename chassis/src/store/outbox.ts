// The outbox in Postgres: events written by the transaction that made them true, until the bus has
// them.
//
// O1. A row is claimed by locking it, wherever it stands: ids commit out of order, so "greater than
//     the last one seen" would lose rows.
// O2. A row is gone only after the bus confirmed it. When the relay dies in between, it is published
//     again with the same id.

import assert from 'node:assert/strict';
import type { EventOf, Message, Topic } from '@rushlight/contracts';
import type { PoolClient } from 'pg';
import type { Environment } from '../environment.ts';
import { asUnavailable } from './failures.ts';
import type { ConnectionPool } from './pool.ts';
import type { Outbox } from './store.ts';

/** Events per message at most; what is emitted together and exceeds it becomes several messages. */
export const eventsPerMessageMax = 500;

export type EmitContext = { env: Environment; traceparent: () => string | undefined };

export type OutboxRow = {
  id: string;
  topic: Topic;
  at_ms: number;
  traceparent: string | null;
  events: string;
};

/** What one transaction emits: a row per topic when it ends, more where that exceeds the limit. */
export class Emitted {
  readonly #context: EmitContext;
  readonly #events = new Map<Topic, unknown[]>();

  constructor(context: EmitContext) {
    this.#context = context;
  }

  add<T extends Topic>(topic: T, events: readonly EventOf<T>[]): void {
    const before = this.#events.get(topic) ?? [];
    if (events.length > 0) this.#events.set(topic, before.concat(events));
  }

  rows(): OutboxRow[] {
    const { env, traceparent } = this.#context;
    const rows: OutboxRow[] = [];
    for (const [topic, events] of this.#events) {
      for (let from = 0; from < events.length; from += eventsPerMessageMax) {
        rows.push({
          id: env.newId(),
          topic,
          at_ms: Math.trunc(env.nowMs()),
          traceparent: traceparent() ?? null,
          events: JSON.stringify(events.slice(from, from + eventsPerMessageMax)),
        });
      }
    }
    return rows;
  }
}

export async function insertOutboxRows(
  client: PoolClient,
  rows: readonly OutboxRow[],
): Promise<void> {
  if (rows.length === 0) return;
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
           SELECT id FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
         )) RETURNING id, topic, at_ms, traceparent, events`,
};

export function postgresOutbox(options: {
  pool: ConnectionPool;
  name: string;
  onWritten: Outbox['onWritten'];
}): Outbox {
  const { pool, name, onWritten } = options;
  return {
    relay: async (limit, publish) => {
      const client = await pool.take();
      try {
        // A delete that a crash of the server undoes is published again, so it need not be flushed.
        const begun = client.query('BEGIN; SET LOCAL synchronous_commit TO off');
        begun.catch(() => {});
        const { rows } = await client.query<OutboxRow>({ ...claim, values: [limit] });
        await begun;
        if (rows.length > 0) await publish(rows.map(messageOf));
        await client.query('COMMIT');
        pool.give(client);
        return rows.length;
      } catch (error) {
        await undo(pool, client, error);
        throw asUnavailable(name, error);
      }
    },
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
    onWritten,
  };
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
