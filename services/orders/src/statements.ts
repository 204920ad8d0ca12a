// The SQL of orders. Whole batches only: never a statement per order.

import type { Statement } from '@rushlight/chassis';

const columns = `order_id, student_id, fingerprint, lines::text AS lines, total_cents, pickup_number,
  status, reason, history, answered, cancel_by`;

/**
 * In the order of keys, so that two batches with the same keys meet in the same order. Of two with
 * the same key the first in the batch wins.
 */
export const accept: Statement = {
  name: 'orders_accept',
  text: `
    INSERT INTO orders (order_id, student_id, idem_key, fingerprint, lines, total_cents,
      accepted_at_ms, deadline_at_ms, status, history)
    SELECT order_id, student_id, idem_key, fingerprint, lines::json, total_cents,
      accepted_at_ms, deadline_at_ms, 'pending', 'pending:' || accepted_at_ms
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

export const move: Statement = {
  name: 'orders_move',
  text: `
    UPDATE orders AS o
    SET status = m.status, reason = m.reason, answered = m.answered, unpaid = m.unpaid,
        history = o.history || m.history,
        idem_key = CASE WHEN m.frees_key THEN NULL ELSE o.idem_key END
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[],
      $7::boolean[]) AS m (order_id, status, reason, answered, unpaid, history, frees_key)
    WHERE o.order_id = m.order_id`,
};

export const noteCancel: Statement = {
  name: 'orders_note_cancel',
  text: 'UPDATE orders SET cancel_by = $2 WHERE order_id = $1 AND cancel_by IS NULL',
};

/** Ordered as their index is: it alone is read, never the whole table. Nobody waits for a lock here. */
export const lockPending: Statement = {
  name: 'orders_lock_pending',
  text: `SELECT ${columns} FROM orders
         WHERE unpaid AND status = 'pending' AND accepted_at_ms < $1
         ORDER BY deadline_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED`,
};

export const lockLate: Statement = {
  name: 'orders_lock_late',
  text: `SELECT ${columns} FROM orders WHERE unpaid AND deadline_at_ms < $1
         ORDER BY deadline_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED`,
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

export const listOfStudent: Statement = {
  name: 'orders_list_student',
  text: `SELECT ${columns} FROM orders
         WHERE student_id = $3 AND order_id < coalesce($1::uuid, '${largestId}')
         ORDER BY order_id DESC LIMIT $2`,
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
      SELECT order_id FROM orders WHERE order_id < $1::uuid AND NOT unpaid
      ORDER BY order_id LIMIT $2 FOR UPDATE SKIP LOCKED
    )) RETURNING 1 AS one`,
};
