// The SQL of the embedded bus, all of it.

import type { Statement } from '../store/store.ts';
import { deathsUnsuspected } from './delivery.ts';

/** The first half of the advisory locks with which consumers show that they live. */
export const ownerLockClass = 7_205_132;

/** Every process of ours that listens to a queue, or to a broadcast, hears on these channels. */
export const queueChannel = (queue: string): string => `queue_${queue}`;
export const broadcastChannel = (topic: string): string => `broadcast_${topic}`;

/**
 * All messages into all their queues, and all notifications, in one statement: one commit.
 *
 * A notification wakes every process that listens to anything. A queue in which something waits
 * already needs none: its consumer looks again after each claim that found something.
 */
export const publish: Statement = {
  name: 'bus_publish',
  text: `
    WITH given AS (
      SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[])
        WITH ORDINALITY AS given (id, topic, at_ms, traceparent, events, n)
    ), stored AS (
      INSERT INTO messages (queue, id, topic, at_ms, traceparent, events)
      SELECT target.queue, id, topic, at_ms, traceparent, events
      FROM unnest($6::int[], $7::text[]) AS target (n, queue) JOIN given USING (n)
      ORDER BY target.queue, id
      ON CONFLICT (queue, id) DO NOTHING
    )
    SELECT pg_notify(channel, payload)
    FROM unnest($8::text[], $9::text[], $10::text[]) AS hint (channel, payload, queue)
    WHERE hint.queue IS NULL OR (
      SELECT true FROM messages
      WHERE messages.queue = hint.queue AND owner IS NULL AND available_at <= now()
      ORDER BY available_at LIMIT 1
    ) IS NULL`,
};

/** Takes what is free, and counts the try before it is made: the message may kill its consumer. */
export const claim: Statement = {
  name: 'bus_claim',
  text: `
    UPDATE messages SET owner = $2, attempts = attempts + 1
    WHERE queue = $1 AND id = ANY (ARRAY(
      SELECT id FROM messages
      WHERE queue = $1 AND owner IS NULL AND available_at <= now()
      ORDER BY available_at LIMIT $3 FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, topic, at_ms, traceparent, events, attempts, delays, deaths`,
};

/**
 * Frees, and marks, what is held by consumers whose connection is gone. A try that ended so counts
 * only for what was alone: of all messages, or of a suspect.
 */
export const freeOrphans: Statement = {
  name: 'bus_free_orphans',
  text: `
    UPDATE messages SET owner = NULL, deaths = deaths + 1,
      attempts = attempts - CASE WHEN $3 OR deaths >= ${deathsUnsuspected} THEN 0 ELSE 1 END
    WHERE queue = $1 AND owner IS NOT NULL AND owner <> $2 AND owner NOT IN (
      SELECT objid::bigint::int FROM pg_locks
      WHERE locktype = 'advisory' AND classid = ${ownerLockClass} AND objsubid = 2 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
    RETURNING 1 AS one`,
};

export const acknowledge: Statement = {
  name: 'bus_acknowledge',
  text: 'DELETE FROM messages WHERE queue = $1 AND id = ANY ($2::uuid[]) AND owner = $3',
};

/** Gives back what was claimed and not tried. */
export const giveBack: Statement = {
  name: 'bus_give_back',
  text: `
    UPDATE messages SET owner = NULL, attempts = attempts - 1
    WHERE queue = $1 AND id = ANY ($2::uuid[]) AND owner = $3`,
};

export const putOff: Statement = {
  name: 'bus_put_off',
  text: `
    UPDATE messages SET owner = NULL, attempts = attempts - $4, delays = delays + 1,
      available_at = now() + $5 * interval '1 millisecond'
    WHERE queue = $1 AND id = $2 AND owner = $3`,
};

/** Dead events become letters, and their message goes on without them, or is gone. */
export const bury: Statement = {
  name: 'bus_bury',
  text: `
    WITH gone AS (
      DELETE FROM messages WHERE queue = $1 AND id = $2 AND owner = $3 AND $4::text IS NULL
      RETURNING queue
    ), kept AS (
      UPDATE messages SET events = $4
      WHERE queue = $1 AND id = $2 AND owner = $3 AND $4::text IS NOT NULL
      RETURNING queue
    )
    INSERT INTO dead_letters
      (letter_id, queue, id, topic, at_ms, traceparent, events, attempts, error)
    SELECT letter_id, $1, id, topic, at_ms, traceparent, events, attempts, error
    FROM unnest($5::uuid[], $6::uuid[], $7::text[], $8::bigint[], $9::text[], $10::text[],
      $11::int[], $12::text[])
      AS letter (letter_id, id, topic, at_ms, traceparent, events, attempts, error)
    WHERE EXISTS (SELECT FROM gone UNION ALL SELECT FROM kept)
    ON CONFLICT (letter_id) DO UPDATE
      SET attempts = excluded.attempts, error = excluded.error, died_at = now()
    RETURNING 1 AS one`,
};

/** One message becomes several, all or nothing. */
export const splitUp: Statement = {
  name: 'bus_split',
  text: `
    WITH gone AS (
      DELETE FROM messages WHERE queue = $1 AND id = $2 AND owner = $3
      RETURNING topic, at_ms, traceparent
    )
    INSERT INTO messages (queue, id, topic, at_ms, traceparent, events)
    SELECT $1, part.id, topic, at_ms, traceparent, part.events
    FROM gone, unnest($4::uuid[], $5::text[]) AS part (id, events)
    ON CONFLICT (queue, id) DO NOTHING
    RETURNING 1 AS one`,
};

export const countMessages: Statement = {
  name: 'bus_depth',
  text: 'SELECT count(*) AS count FROM messages WHERE queue = $1',
};

/** By the clock of the publisher, which may be ahead of this one's. */
export const ageOfOldest: Statement = {
  name: 'bus_oldest',
  text: `SELECT greatest(0, (extract(epoch FROM now()) * 1000)::bigint - min(at_ms)) AS age_ms
         FROM messages WHERE queue = $1 HAVING count(*) > 0`,
};

export const listLetters: Statement = {
  name: 'bus_letters',
  text: `SELECT letter_id, queue, topic, attempts, error, died_at, events
         FROM dead_letters ORDER BY died_at DESC LIMIT 100`,
};

export const replayLetter: Statement = {
  name: 'bus_replay',
  text: `
    WITH letter AS (
      DELETE FROM dead_letters WHERE letter_id = $1
      RETURNING queue, id, topic, at_ms, traceparent, events
    ), back AS (
      INSERT INTO messages (queue, id, topic, at_ms, traceparent, events)
      SELECT queue, id, topic, at_ms, traceparent, events FROM letter
      ON CONFLICT (queue, id) DO NOTHING
    )
    SELECT pg_notify('queue_' || queue, '') FROM letter`,
};

export const dropLetter: Statement = {
  name: 'bus_drop',
  text: 'DELETE FROM dead_letters WHERE letter_id = $1 RETURNING 1 AS one',
};

export const countLetters: Statement = {
  name: 'bus_letter_counts',
  text: 'SELECT queue, count(*) AS count FROM dead_letters GROUP BY queue ORDER BY queue',
};
