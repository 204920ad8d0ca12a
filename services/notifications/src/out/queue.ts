// Messages that wait to go out, in a table of their own: nothing that sends ever holds up the stream
// or an order.
//
// Q1. One row per order, step and channel, whatever is put in line how often.
// Q2. A row is leased to one sender at a time, also among replicas. A lease that ran out is anybody's;
//     whoever held it can no longer say what became of the message.
// Q3. What came to an end keeps neither its text nor the student for longer than it must: the text
//     goes at once, the row after two days.

import type { PostgresStore, Statement } from '@rushlight/chassis';
import type { OutMessage } from '../messenger.ts';
import type { ChannelName, Letter } from './channel.ts';

export type Leased = Letter & { attempts: number; ageMs: number };

export type End =
  | { state: 'sent' | 'refused' | 'expired' }
  /** Due again after so long. */
  | { state: 'waiting'; waitMs: number };

export type Waiting = { count: number; oldestS: number };

export interface OutQueue {
  /** Puts messages in line for each of these channels; those that are known are left as they are. */
  add(messages: readonly OutMessage[], channels: readonly ChannelName[]): Promise<void>;
  /** The next ones that are due, for so long nobody else's. */
  lease(channel: ChannelName, limit: number, leaseMs: number): Promise<Leased[]>;
  /** Says what became of one. False when its lease had run out and somebody else took it. */
  settle(channel: ChannelName, letter: Leased, end: End): Promise<boolean>;
  waiting(channel: ChannelName): Promise<Waiting>;
  /** Rows that wait, counted up to this number. */
  waitingUpTo(countMax: number): Promise<number>;
  /** Forgets what ended so long ago. */
  forget(olderThanMs: number, rowsMax: number): Promise<number>;
}

type LeasedRow = {
  order_id: string;
  step: string;
  student_id: string;
  text: string;
  attempts: number;
  age_ms: number;
};

export function createPostgresOutQueue(store: PostgresStore): OutQueue {
  return {
    add: async (messages, channels) => {
      await store.single('addOutgoing', add, [
        messages.map(({ orderId }) => orderId),
        messages.map(({ step }) => step),
        messages.map(({ studentId }) => studentId),
        messages.map(({ text }) => text),
        channels,
      ]);
    },
    lease: async (channel, limit, leaseMs) => {
      const rows = await store.query<LeasedRow>(lease, [channel, limit, leaseMs]);
      return rows.map(letterOf);
    },
    settle: async (channel, letter, end) => {
      const { orderId, step, attempts } = letter;
      const waitMs = end.state === 'waiting' ? end.waitMs : 0;
      const values = [orderId, step, channel, attempts, end.state, waitMs];
      return (await store.single('settleOutgoing', settle, values)).length === 1;
    },
    waiting: async (channel) => {
      const [row] = await store.query<Waiting>(waiting, [channel]);
      return { count: row?.count ?? 0, oldestS: row?.oldestS ?? 0 };
    },
    waitingUpTo: async (countMax) => {
      const [row] = await store.query<{ count: number }>(waitingUpTo, [countMax]);
      return row?.count ?? 0;
    },
    forget: async (olderThanMs, rowsMax) =>
      (await store.query(forget, [olderThanMs, rowsMax])).length,
  };
}

function letterOf(row: LeasedRow): Leased {
  const { order_id: orderId, step, student_id: studentId, text, attempts } = row;
  return { orderId, step, studentId, text, attempts, ageMs: row.age_ms };
}

const add: Statement = {
  name: 'outgoing_add',
  text: `
    INSERT INTO outgoing (order_id, step, student_id, text, channel)
    SELECT message.*, channel
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS message,
      unnest($5::text[]) AS channel
    ON CONFLICT DO NOTHING`,
};

const lease: Statement = {
  name: 'outgoing_lease',
  text: `
    WITH next AS MATERIALIZED (
      SELECT order_id, step, channel FROM outgoing
      WHERE channel = $1 AND state = 'waiting' AND due_at <= clock_timestamp()
      ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE outgoing AS o
    SET attempts = attempts + 1, due_at = clock_timestamp() + $3 * interval '1 millisecond'
    FROM next WHERE (o.order_id, o.step, o.channel) = (next.order_id, next.step, next.channel)
    RETURNING o.order_id, o.step, o.student_id, o.text, o.attempts,
      (extract(epoch FROM clock_timestamp() - o.queued_at) * 1000)::double precision AS age_ms`,
};

const settle: Statement = {
  name: 'outgoing_settle',
  text: `
    UPDATE outgoing SET state = $5, due_at = clock_timestamp() + $6 * interval '1 millisecond',
      ended_at = CASE WHEN $5 = 'waiting' THEN NULL ELSE clock_timestamp() END,
      text = CASE WHEN $5 = 'waiting' THEN text ELSE '' END
    WHERE order_id = $1 AND step = $2 AND channel = $3 AND attempts = $4 AND state = 'waiting'
    RETURNING 1 AS one`,
};

const waiting: Statement = {
  name: 'outgoing_waiting',
  text: `
    SELECT count(*)::int AS count, coalesce(
      extract(epoch FROM clock_timestamp() - min(queued_at)), 0)::double precision AS "oldestS"
    FROM outgoing WHERE channel = $1 AND state = 'waiting'`,
};

const waitingUpTo: Statement = {
  name: 'outgoing_waiting_up_to',
  text: `SELECT count(*)::int AS count
    FROM (SELECT 1 FROM outgoing WHERE state = 'waiting' LIMIT $1) AS found`,
};

const forget: Statement = {
  name: 'outgoing_forget',
  text: `
    DELETE FROM outgoing WHERE (order_id, step, channel) IN (
      SELECT order_id, step, channel FROM outgoing
      WHERE state <> 'waiting' AND ended_at < clock_timestamp() - $1 * interval '1 millisecond'
      LIMIT $2
    ) RETURNING 1 AS one`,
};
