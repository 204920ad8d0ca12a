// The SQL of the kitchen. Each statement takes a whole batch. Plans are made while the table is
// small and kept while it grows, so an update names its rows by `order_id = ANY`: that uses the
// primary key from the start. What was selected for update is locked, its status cannot change.

import type { Statement } from '@rushlight/chassis';

const ticket = `order_id AS "orderId", pickup_number AS "pickupNumber", lines, status,
  cook_ms AS "cookMs", station, ready_at_ms AS "readyAtMs", reason,
  arrived_at_ms AS "arrivedAtMs"`;

const inQueue = `SELECT order_id, row_number() OVER (ORDER BY arrival) AS position
  FROM tickets WHERE status = 'waiting'`;

export const statements = {
  lock: { name: 'kitchen_lock', text: 'SELECT 1 AS one FROM kitchen FOR UPDATE' },
  /** Who cooks, whether somebody waits, and which of these tickets are there already. */
  situation: {
    name: 'kitchen_situation',
    text: `SELECT EXISTS (SELECT FROM tickets WHERE status = 'waiting') AS waiting,
        ARRAY(SELECT station FROM tickets WHERE status = 'cooking') AS busy,
        ARRAY(SELECT order_id::text FROM tickets WHERE order_id = ANY ($1::uuid[])) AS known`,
  },
  add: {
    name: 'kitchen_add',
    text: `INSERT INTO tickets (order_id, pickup_number, lines, cook_ms, status, station,
          ready_at_ms, arrived_at_ms)
      SELECT id, pickup, lines, cook_ms, status, station, ready_at_ms, $8
      FROM unnest($1::uuid[], $2::integer[], $3::jsonb[], $4::integer[], $5::text[],
          $6::integer[], $7::bigint[])
        WITH ORDINALITY AS added (id, pickup, lines, cook_ms, status, station, ready_at_ms, n)
      ORDER BY n
      ON CONFLICT DO NOTHING RETURNING order_id AS "orderId"`,
  },
  voidedAmong: {
    name: 'kitchen_voided_among',
    text: `SELECT order_id AS "orderId" FROM tickets
      WHERE order_id = ANY ($1::uuid[]) AND status = 'voided' ORDER BY order_id`,
  },
  voidDead: {
    name: 'kitchen_void_dead',
    text: `INSERT INTO tickets (order_id, status, arrived_at_ms)
      SELECT id, 'voided', $2 FROM unnest($1::uuid[]) AS dead (id) ORDER BY id
      ON CONFLICT (order_id) DO UPDATE SET status = 'voided', station = NULL
        WHERE tickets.status IN ('waiting', 'cooking', 'ready')`,
  },
  busyStations: {
    name: 'kitchen_busy_stations',
    text: "SELECT station FROM tickets WHERE status = 'cooking'",
  },
  oldestWaiting: {
    name: 'kitchen_oldest_waiting',
    text: `SELECT order_id AS "orderId", cook_ms AS "cookMs" FROM tickets
      WHERE status = 'waiting' ORDER BY arrival LIMIT $1 FOR UPDATE`,
  },
  start: {
    name: 'kitchen_start',
    text: `UPDATE tickets SET
        status = CASE WHEN planned.at_once THEN 'ready' ELSE 'cooking' END,
        station = CASE WHEN planned.at_once THEN NULL ELSE planned.station END,
        ready_at_ms = planned.ready_at_ms
      FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::boolean[])
        AS planned (id, station, ready_at_ms, at_once)
      WHERE order_id = planned.id AND order_id = ANY ($1::uuid[])`,
  },
  finishDue: {
    name: 'kitchen_finish_due',
    text: `UPDATE tickets SET status = 'ready', station = NULL WHERE order_id = ANY (ARRAY(
        SELECT order_id FROM tickets WHERE status = 'cooking' AND ready_at_ms <= $1
        ORDER BY ready_at_ms LIMIT $2 FOR UPDATE
      )) RETURNING order_id AS "orderId"`,
  },
  collectDue: {
    name: 'kitchen_collect_due',
    text: `UPDATE tickets SET status = 'collected' WHERE order_id = ANY (ARRAY(
        SELECT order_id FROM tickets WHERE status = 'ready' AND ready_at_ms < $1
        ORDER BY ready_at_ms LIMIT $2 FOR UPDATE
      )) RETURNING order_id AS "orderId"`,
  },
  agenda: {
    name: 'kitchen_agenda',
    text: `SELECT EXISTS (SELECT FROM tickets WHERE status = 'waiting') AS waiting,
        (SELECT count(*) FROM tickets WHERE status = 'cooking') AS cooking,
        (SELECT min(ready_at_ms) FROM tickets WHERE status = 'cooking') AS "nextReadyAtMs"`,
  },
  one: {
    name: 'kitchen_one',
    text: `SELECT ${ticket} FROM tickets WHERE order_id = $1 FOR UPDATE`,
  },
  tombstone: {
    name: 'kitchen_tombstone',
    text: `INSERT INTO tickets (order_id, status, arrived_at_ms) VALUES ($1, 'voided', $2)
      ON CONFLICT DO NOTHING RETURNING order_id AS "orderId"`,
  },
  move: {
    name: 'kitchen_move',
    text: `UPDATE tickets SET status = $2, station = $3, ready_at_ms = coalesce($4, ready_at_ms),
        reason = $5
      WHERE order_id = $1`,
  },
  display: {
    name: 'kitchen_display',
    text: `WITH waiting AS (
        SELECT *, row_number() OVER (ORDER BY arrival) AS position FROM tickets
        WHERE status = 'waiting' ORDER BY arrival LIMIT $1
      ), cooking AS (
        SELECT *, NULL::bigint AS position FROM tickets WHERE status = 'cooking'
      ), ready AS (
        SELECT *, NULL::bigint AS position FROM tickets
        WHERE status = 'ready' ORDER BY ready_at_ms DESC LIMIT $2
      )
      SELECT ${ticket}, position AS "queuePosition" FROM (
        TABLE ready UNION ALL TABLE cooking UNION ALL TABLE waiting
      ) AS shown ORDER BY arrival`,
  },
  placed: {
    name: 'kitchen_placed',
    text: `WITH queue AS MATERIALIZED (${inQueue})
      SELECT ${ticket}, queue.position AS "queuePosition"
      FROM tickets LEFT JOIN queue USING (order_id)
      WHERE order_id = ANY ($1::uuid[]) AND status IN ('waiting', 'cooking')`,
  },
  cookingUntil: {
    name: 'kitchen_cooking_until',
    text: `SELECT ready_at_ms AS "readyAtMs" FROM tickets WHERE status = 'cooking'`,
  },
  countWaiting: {
    name: 'kitchen_count_waiting',
    text: "SELECT count(*) AS waiting FROM tickets WHERE status = 'waiting'",
  },
  counts: {
    name: 'kitchen_counts',
    text: `SELECT (SELECT count(*) FROM tickets WHERE status = 'waiting') AS waiting,
        (SELECT count(*) FROM tickets WHERE status = 'cooking') AS cooking,
        (SELECT count(*) FROM (
          SELECT FROM tickets WHERE status = 'ready' LIMIT 100000
        ) AS shelf) AS ready`,
  },
  page: {
    name: 'kitchen_page',
    text: `SELECT order_id AS "orderId", status FROM tickets
      WHERE $1::uuid IS NULL OR order_id > $1 ORDER BY order_id LIMIT $2`,
  },
  forget: {
    name: 'kitchen_forget',
    text: `DELETE FROM tickets WHERE order_id IN (
        SELECT order_id FROM tickets WHERE arrived_at_ms < $1
          AND status IN ('collected', 'refused', 'voided') LIMIT $2
      ) RETURNING 1 AS gone`,
  },
} as const satisfies Record<string, Statement>;
