// The SQL of orders. Whole batches only: never a statement per order.

import type { Statement } from '@rushlight/chassis';

const columnNames = [
  ...['order_id', 'student_id', 'fingerprint', 'lines', 'total_cents', 'pickup_number'],
  ...['status', 'reason', 'history', 'answered', 'cancel_by'],
];
const columns = columnNames.join(', ');
const columnsOfO = columnNames.map((name) => `o.${name}`).join(', ');

/** The deadline runs in these. */
const unpaid = `('pending', 'queued', 'stock_verified')`;

/**
 * In the order of keys, so that two batches with the same keys meet in the same order. Of two with
 * the same key the first in the batch wins.
 */
export const accept: Statement = {
  name: 'orders_accept',
  text: `
    WITH watched AS (
      INSERT INTO watched_batches (first_id, last_id, accepted_at_ms, deadline_at_ms)
      VALUES ($9, $10, $11, $12)
    )
    INSERT INTO orders (order_id, student_id, idem_key, fingerprint, lines, total_cents,
      accepted_at_ms, deadline_at_ms, changed_at_ms, status, history)
    SELECT order_id, student_id, idem_key, fingerprint, lines, total_cents,
      accepted_at_ms, deadline_at_ms, accepted_at_ms, 'pending', 'pending:' || accepted_at_ms
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
      $7::bigint[], $8::bigint[]) WITH ORDINALITY
      AS given (order_id, student_id, idem_key, fingerprint, lines, total_cents,
        accepted_at_ms, deadline_at_ms, n)
    ORDER BY student_id, idem_key, n
    ON CONFLICT (student_id, idem_key) DO NOTHING
    RETURNING order_id, pickup_number`,
};

export const findByKeys: Statement = {
  name: 'orders_by_keys',
  text: `
    SELECT given.n::int AS n, ${columns}
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS given (student, key, n)
    JOIN orders ON student_id = student AND idem_key = key`,
};

/** In the order of ids: two transactions that lock the same orders never wait in a circle. */
export const lock: Statement = {
  name: 'orders_lock',
  text: `SELECT ${columns} FROM orders WHERE order_id = ANY ($1::uuid[])
         ORDER BY order_id FOR UPDATE`,
};

/**
 * Moves orders that are all in the same status by the same steps; those that are not, or whose last
 * step was later by somebody's clock, stay as they are. The primary key is walked in its order, so
 * that here, too, nobody waits in a circle.
 */
const moveAlike = `
  UPDATE orders AS o
  SET status = $3, reason = $4, answered = coalesce(o.answered, $5), changed_at_ms = $6,
      history = o.history || $7, idem_key = CASE WHEN $8 THEN NULL ELSE o.idem_key END
  WHERE order_id = ANY ($1::uuid[]) AND status = $2 AND changed_at_ms <= $6`;

export const moveKnown: Statement = {
  name: 'orders_move_known',
  text: `${moveAlike} RETURNING order_id`,
};

export const moveAndRead: Statement = {
  name: 'orders_move_read',
  text: `${moveAlike} RETURNING ${columns}`,
};

/** Writes moves of locked orders, whatever they are. */
export const move: Statement = {
  name: 'orders_move',
  text: `
    UPDATE orders AS o
    SET status = m.status, reason = m.reason, answered = m.answered,
        changed_at_ms = m.changed_at_ms, history = o.history || m.history,
        idem_key = CASE WHEN m.frees_key THEN NULL ELSE o.idem_key END
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
      $7::boolean[]) AS m (order_id, status, reason, answered, changed_at_ms, history, frees_key)
    WHERE o.order_id = m.order_id`,
};

export const noteCancel: Statement = {
  name: 'orders_note_cancel',
  text: 'UPDATE orders SET cancel_by = $2 WHERE order_id = $1 AND cancel_by IS NULL',
};

/** Nobody waits for a lock here: what is locked is being moved, or swept by somebody else. */
export const lockPending: Statement = {
  name: 'orders_lock_pending',
  text: `SELECT ${columnsOfO} FROM watched_batches AS b
         JOIN orders AS o ON o.order_id BETWEEN b.first_id AND b.last_id
         WHERE b.maybe_pending AND b.accepted_at_ms < $1
           AND o.status = 'pending' AND o.accepted_at_ms < $1
         LIMIT $2 FOR UPDATE OF o SKIP LOCKED`,
};

export const lockLate: Statement = {
  name: 'orders_lock_late',
  text: `SELECT ${columnsOfO} FROM watched_batches AS b
         JOIN orders AS o ON o.order_id BETWEEN b.first_id AND b.last_id
         WHERE b.deadline_at_ms < $1 AND o.status IN ${unpaid} AND o.deadline_at_ms < $1
         LIMIT $2 FOR UPDATE OF o SKIP LOCKED`,
};

/** Once an order has left a status for another it never comes back: no second look is needed. */
export const nonePending: Statement = {
  name: 'batches_none_pending',
  text: `UPDATE watched_batches SET maybe_pending = false
         WHERE maybe_pending AND accepted_at_ms < $1 AND NOT EXISTS (
           SELECT FROM orders WHERE order_id BETWEEN first_id AND last_id AND status = 'pending')`,
};

export const noneUnpaid: Statement = {
  name: 'batches_none_unpaid',
  text: `DELETE FROM watched_batches
         WHERE deadline_at_ms < $1 AND NOT EXISTS (
           SELECT FROM orders WHERE order_id BETWEEN first_id AND last_id AND status IN ${unpaid})`,
};

export const find: Statement = {
  name: 'orders_find',
  text: `SELECT ${columns} FROM orders WHERE order_id = $1`,
};

const smallestId = '00000000-0000-0000-0000-000000000000';
const largestId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export const list: Statement = {
  name: 'orders_list',
  text: `SELECT ${columns} FROM orders WHERE order_id < coalesce($1::uuid, '${largestId}')
         ORDER BY order_id DESC LIMIT $2`,
};

/** In two steps, so that it is never read through the orders of everybody. */
export const listOfStudent: Statement = {
  name: 'orders_list_student',
  text: `
    WITH mine AS MATERIALIZED (
      SELECT order_id FROM orders
      WHERE student_id = $3 AND order_id < coalesce($1::uuid, '${largestId}')
    )
    SELECT ${columns} FROM orders
    WHERE order_id = ANY (ARRAY(SELECT order_id FROM mine ORDER BY order_id DESC LIMIT $2))
    ORDER BY order_id DESC`,
};

export const countByStatus: Statement = {
  name: 'orders_count',
  text: 'SELECT status, count(*) AS count FROM orders GROUP BY status',
};

export const page: Statement = {
  name: 'orders_page',
  text: `SELECT ${columns} FROM orders WHERE order_id > coalesce($1::uuid, '${smallestId}')
         ORDER BY order_id LIMIT $2`,
};

export const saveItems: Statement = {
  name: 'menu_save',
  text: `
    INSERT INTO menu_items AS kept (item_id, name, price_cents, removed, version)
    SELECT DISTINCT ON (item_id) item_id, name, price_cents, removed, version
    FROM unnest($1::text[], $2::text[], $3::int[], $4::boolean[], $5::bigint[])
      AS given (item_id, name, price_cents, removed, version)
    ORDER BY item_id, version DESC
    ON CONFLICT (item_id) DO UPDATE
      SET name = excluded.name, price_cents = excluded.price_cents,
          removed = excluded.removed, version = excluded.version
      WHERE excluded.version > kept.version`,
};

export const items: Statement = {
  name: 'menu_items',
  text: `SELECT item_id, name, price_cents, version FROM menu_items
         WHERE item_id = ANY ($1::text[]) AND NOT removed`,
};

/** By time alone: ids carry it in front (UUID version 7), so old orders are found by their ids. */
export const freeKeys: Statement = {
  name: 'orders_free_keys',
  text: `
    UPDATE orders SET idem_key = NULL
    WHERE order_id = ANY (ARRAY(
      SELECT order_id FROM orders
      WHERE idem_key IS NOT NULL AND order_id >= $3::uuid AND order_id < $1::uuid
      ORDER BY order_id LIMIT $2 FOR UPDATE SKIP LOCKED
    )) RETURNING 1 AS one`,
};

export const forget: Statement = {
  name: 'orders_forget',
  text: `
    DELETE FROM orders
    WHERE order_id = ANY (ARRAY(
      SELECT order_id FROM orders WHERE order_id < $1::uuid AND status NOT IN ${unpaid}
      ORDER BY order_id LIMIT $2 FOR UPDATE SKIP LOCKED
    )) RETURNING 1 AS one`,
};
