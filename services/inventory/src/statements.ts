// The SQL of inventory. Whole batches: no statement runs once per order.

import type { Statement } from '@rushlight/chassis';

const itemColumns = `item_id AS "itemId", name, category, price_cents AS "priceCents", removed,
  version, initial, added, sold, on_hand AS "onHand", reserved, stock_version AS "stockVersion"`;

const statement = (name: string, text: string): Statement => ({ name: `inventory_${name}`, text });

export const statements = {
  items: statement('items', `SELECT ${itemColumns} FROM items ORDER BY item_id`),
  item: statement('item', `SELECT ${itemColumns} FROM items WHERE item_id = $1`),
  /** In id order, so that two batches that meet never wait for each other in a circle. */
  lockItems: statement(
    'lock_items',
    `SELECT ${itemColumns} FROM items WHERE item_id = ANY($1::text[])
     ORDER BY item_id FOR NO KEY UPDATE`,
  ),
  lockItemsOfHolds: statement(
    'lock_items_of_holds',
    `SELECT ${itemColumns} FROM items WHERE item_id IN (
       SELECT line ->> 'itemId' FROM holds, jsonb_array_elements(lines::jsonb) AS line
       WHERE order_id = ANY($1::uuid[])
     ) ORDER BY item_id FOR NO KEY UPDATE`,
  ),
  holdStatuses: statement(
    'hold_statuses',
    `SELECT order_id AS "orderId", status FROM holds WHERE order_id = ANY($1::uuid[])`,
  ),
  holds: statement(
    'holds',
    `SELECT order_id AS "orderId", status, lines FROM holds WHERE order_id = ANY($1::uuid[])`,
  ),
  /** New holds in id order, again because of waiting in circles. */
  write: statement(
    'write',
    `WITH made AS (
       INSERT INTO holds (order_id, status, lines, created_at_ms)
       SELECT order_id, status, lines, $4
       FROM unnest($1::uuid[], $2::text[], $3::text[]) AS new (order_id, status, lines)
       ORDER BY order_id
       ON CONFLICT (order_id) DO NOTHING RETURNING 1
     ), moved AS (
       UPDATE holds SET status = new.status
       FROM unnest($5::uuid[], $6::text[]) AS new (order_id, status)
       WHERE holds.order_id = new.order_id AND holds.status <> new.status RETURNING 1
     ), booked AS (
       INSERT INTO stock_ledger (item_id, kind, quantity, cause, at_ms)
       SELECT item_id, kind, quantity, $10, $4
       FROM unnest($7::text[], $8::text[], $9::bigint[]) AS new (item_id, kind, quantity)
     ), stocked AS (
       UPDATE items SET initial = new.initial, added = new.added, sold = new.sold,
         on_hand = new.on_hand, reserved = new.reserved, stock_version = new.stock_version
       FROM unnest($11::text[], $12::int[], $13::int[], $14::int[], $15::int[], $16::int[],
         $17::bigint[]) AS new (item_id, initial, added, sold, on_hand, reserved, stock_version)
       WHERE items.item_id = new.item_id RETURNING 1
     )
     SELECT (SELECT count(*) FROM made) AS made, (SELECT count(*) FROM moved) AS moved,
       (SELECT count(*) FROM stocked) AS stocked`,
  ),
  putItem: statement(
    'put_item',
    `INSERT INTO items (item_id, name, category, price_cents, removed, version, initial, added,
       sold, on_hand, reserved, stock_version)
     VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, 0, 0, 0)
     ON CONFLICT (item_id) DO UPDATE SET name = EXCLUDED.name, category = EXCLUDED.category,
       price_cents = EXCLUDED.price_cents, removed = EXCLUDED.removed,
       version = EXCLUDED.version`,
  ),
  /** Takes the place of a row lock while there is no row yet. */
  lockNewItem: statement('lock_new_item', `SELECT pg_advisory_xact_lock(7205132, hashtext($1))`),
  countItems: statement('count_items', 'SELECT count(*) AS count FROM items WHERE NOT removed'),
  sow: statement(
    'sow',
    `INSERT INTO seeds (name, at_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING name`,
  ),
  auditItems: statement(
    'audit_items',
    `WITH booked AS (
       SELECT item_id, jsonb_object_agg(kind, quantity) AS sums FROM (
         SELECT item_id, kind, sum(quantity) AS quantity FROM stock_ledger GROUP BY 1, 2
       ) AS by_kind GROUP BY item_id
     ), held AS (
       SELECT item_id, jsonb_object_agg(status, quantity) AS sums FROM (
         SELECT line ->> 'itemId' AS item_id, status, sum((line ->> 'quantity')::bigint) AS quantity
         FROM holds, jsonb_array_elements(lines::jsonb) AS line WHERE status <> 'released' GROUP BY 1, 2
       ) AS by_status GROUP BY item_id
     )
     SELECT ${itemColumns}, booked.sums AS ledger, held.sums AS holds
     FROM items LEFT JOIN booked USING (item_id) LEFT JOIN held USING (item_id)
     ORDER BY item_id`,
  ),
  holdsPage: statement(
    'holds_page',
    `SELECT order_id AS "orderId", status, lines FROM holds
     WHERE order_id > $1::uuid ORDER BY order_id LIMIT $2`,
  ),
  forgetReleased: statement(
    'forget_released',
    `DELETE FROM holds WHERE order_id IN (
       SELECT order_id FROM holds WHERE created_at_ms < $1 AND status = 'released' LIMIT $2
       FOR UPDATE SKIP LOCKED
     ) RETURNING 1`,
  ),
  /** The ledger remembers how many sold portions are no longer told by a hold. */
  forgetCommitted: statement(
    'forget_committed',
    `WITH gone AS (
       DELETE FROM holds WHERE order_id IN (
         SELECT order_id FROM holds WHERE created_at_ms < $1 AND status = 'committed' LIMIT $2
         FOR UPDATE SKIP LOCKED
       ) RETURNING lines
     ), archived AS (
       INSERT INTO stock_ledger (item_id, kind, quantity, cause, at_ms)
       SELECT line ->> 'itemId', 'archived', sum((line ->> 'quantity')::bigint), 'retention', $1
       FROM gone, jsonb_array_elements(lines::jsonb) AS line GROUP BY 1
     )
     SELECT count(*) AS count FROM gone`,
  ),
  /** Replaces old entries by their sums (old sums too, a day later): the balances stay. */
  rollUpLedger: statement(
    'roll_up_ledger',
    `WITH gone AS (
       DELETE FROM stock_ledger WHERE entry_id IN (
         SELECT entry_id FROM stock_ledger
         WHERE at_ms < $1 AND (cause <> 'roll-up' OR at_ms < $1 - 86400000)
         LIMIT $2 FOR UPDATE SKIP LOCKED
       ) RETURNING item_id, kind, quantity
     ), summed AS (
       INSERT INTO stock_ledger (item_id, kind, quantity, cause, at_ms)
       SELECT item_id, kind, sum(quantity), 'roll-up', $1 FROM gone GROUP BY item_id, kind
     )
     SELECT count(*) AS count FROM gone`,
  ),
} as const;
