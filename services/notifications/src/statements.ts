// The SQL of notifications. Every statement that gives ids takes them from the locked row of
// `stream_head` itself, so that N1 holds by construction.

import type { Statement } from '@rushlight/chassis';

export const addOrderSteps: Statement = {
  name: 'events_add_steps',
  text: `
    WITH head AS (
      UPDATE stream_head SET last_id = last_id + $1 RETURNING last_id - $1 AS base
    )
    INSERT INTO events (id, kind, student_id, order_id, status, pickup_number, step_at_ms, reason,
      ready_at_ms, at_ms)
    SELECT head.base + step.n, 'order', student_id, order_id, status, pickup_number, step_at_ms,
      reason, ready_at_ms, $9
    FROM head, unnest($2::text[], $3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::text[],
        $8::bigint[])
      WITH ORDINALITY AS step (student_id, order_id, status, pickup_number, step_at_ms, reason,
        ready_at_ms, n)
    ON CONFLICT (order_id, status) WHERE order_id IS NOT NULL DO NOTHING`,
};

export const addStock: Statement = {
  name: 'menu_add_stock',
  text: `
    INSERT INTO menu_state AS kept (item_id, available, stock_version, dirty)
    SELECT DISTINCT ON (item_id) item_id, available, stock_version, true
    FROM unnest($1::text[], $2::int[], $3::bigint[]) AS change (item_id, available, stock_version)
    ORDER BY item_id, stock_version DESC
    ON CONFLICT (item_id) DO UPDATE
      SET available = excluded.available, stock_version = excluded.stock_version, dirty = true
      WHERE excluded.stock_version > kept.stock_version`,
};

export const addItems: Statement = {
  name: 'menu_add_items',
  text: `
    INSERT INTO menu_state AS kept
      (item_id, name, category, price_cents, removed, item_version, dirty)
    SELECT DISTINCT ON (item_id) item_id, name, category, price_cents, removed, version, true
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::boolean[], $6::bigint[])
      AS change (item_id, name, category, price_cents, removed, version)
    ORDER BY item_id, version DESC
    ON CONFLICT (item_id) DO UPDATE
      SET name = excluded.name, category = excluded.category, price_cents = excluded.price_cents,
          removed = excluded.removed, item_version = excluded.item_version, dirty = true
      WHERE excluded.item_version > kept.item_version`,
};

export const takeDirtyItems: Statement = {
  name: 'menu_take_dirty',
  text: `
    UPDATE menu_state SET dirty = false
    WHERE item_id = ANY (ARRAY(
      SELECT item_id FROM menu_state WHERE dirty ORDER BY item_id LIMIT 500 FOR UPDATE SKIP LOCKED
    ))
    RETURNING item_id, available, name, category, price_cents, removed`,
};

export const addMenuEvents: Statement = {
  name: 'events_add_menu',
  text: `
    WITH head AS (
      UPDATE stream_head SET last_id = last_id + $1 RETURNING last_id - $1 AS base
    )
    INSERT INTO events (id, kind, data, at_ms)
    SELECT head.base + item.n, 'menu', data, $3
    FROM head, unnest($2::text[]) WITH ORDINALITY AS item (data, n)`,
};

const columns = `id, kind, student_id, order_id, status, pickup_number, step_at_ms, reason,
  ready_at_ms, data`;

export const read: Statement = {
  name: 'events_read',
  text: `
    SELECT ${columns} FROM events
    WHERE id > $1 AND id <= $2
      AND ($4::text IS NULL OR student_id = $4 OR student_id IS NULL)
      AND ($5::uuid IS NULL OR order_id = $5)
    ORDER BY id LIMIT $3`,
};

export const bounds: Statement = {
  name: 'events_bounds',
  text: 'SELECT last_id, forgotten_id FROM stream_head',
};

export const ownerOf: Statement = {
  name: 'events_owner',
  text: 'SELECT student_id FROM events WHERE order_id = $1 LIMIT 1',
};

export const lockMessages: Statement = {
  name: 'messages_lock',
  text: 'SELECT last_id FROM messages_out FOR UPDATE SKIP LOCKED',
};

export const nextMessages: Statement = {
  name: 'messages_next',
  text: `SELECT ${columns} FROM events
    WHERE id > $1 AND id <= $2 AND kind = 'order' AND status = ANY ($4::text[])
    ORDER BY id LIMIT $3`,
};

export const advanceMessages: Statement = {
  name: 'messages_advance',
  text: 'UPDATE messages_out SET last_id = $1',
};

export const forget: Statement = {
  name: 'events_forget',
  text: `
    DELETE FROM events WHERE id = ANY (ARRAY(
      SELECT id FROM events ORDER BY id LIMIT $2
    )) AND at_ms < $1 RETURNING id`,
};

export const rememberForgotten: Statement = {
  name: 'events_forgotten',
  text: 'UPDATE stream_head SET forgotten_id = greatest(forgotten_id, $1)',
};
