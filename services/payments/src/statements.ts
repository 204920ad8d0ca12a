// The SQL of payments. Each statement takes a whole batch; rows are locked in the order of ids.
//
// Where a table is joined with a batch, `= ANY` repeats what the join says: plans are made while
// the tables are small and kept while they grow, and so they use the index from the start.

import type { Statement } from '@rushlight/chassis';

const post = `INSERT INTO postings (kind, reference, student_id, debit_account, credit_account,
    amount_cents, order_id, at_ms)
  SELECT kind, reference, student, debit, credit, cents, order_id, $8
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
    $7::uuid[]) AS posting (kind, reference, student, debit, credit, cents, order_id)`;

export const statements = {
  begin: {
    name: 'payments_begin',
    text: `WITH begun AS (
        INSERT INTO payments (order_id, student_id, amount_cents, status, created_at_ms)
        SELECT id, student, cents, 'charging', $4
        FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS wanted (id, student, cents)
        ORDER BY id
        ON CONFLICT DO NOTHING RETURNING order_id
      )
      INSERT INTO work (work_id, task, due_at_ms)
      SELECT $5, jsonb_build_object('kind', 'charge', 'orderIds', jsonb_agg(order_id)), $6
      FROM begun HAVING count(*) > 0
      RETURNING task`,
  },
  end: {
    name: 'payments_end',
    text: `INSERT INTO payments (order_id, status, created_at_ms)
      SELECT id, 'voided', $2 FROM unnest($1::uuid[]) AS ended (id) ORDER BY id
      ON CONFLICT (order_id) DO UPDATE SET status = 'refunding'
        WHERE payments.status IN ('charging', 'captured')
      RETURNING order_id AS "orderId", status`,
  },
  addWork: {
    name: 'payments_add_work',
    text: 'INSERT INTO work (work_id, task, due_at_ms) VALUES ($1, $2, $3)',
  },
  claim: {
    name: 'payments_claim',
    text: `UPDATE work SET due_at_ms = $2, attempts = attempts + 1
      WHERE work_id IN (
        SELECT work_id FROM work WHERE due_at_ms <= $1
        ORDER BY due_at_ms LIMIT $3 FOR UPDATE SKIP LOCKED
      ) RETURNING work_id AS "workId", task, attempts`,
  },
  postpone: {
    name: 'payments_postpone',
    text: 'UPDATE work SET due_at_ms = $2 WHERE work_id = $1',
  },
  endWork: {
    name: 'payments_end_work',
    text: 'DELETE FROM work WHERE work_id = $1 RETURNING 1 AS ended',
  },
  toCharge: {
    name: 'payments_to_charge',
    text: `SELECT order_id AS "orderId", student_id AS "studentId", amount_cents AS "amountCents"
      FROM payments WHERE order_id = ANY ($1::uuid[]) AND status = 'charging' ORDER BY order_id`,
  },
  toRefund: {
    name: 'payments_to_refund',
    text: `SELECT order_id AS "orderId", student_id AS "studentId"
      FROM payments WHERE order_id = ANY ($1::uuid[]) AND status = 'refunding' ORDER BY order_id`,
  },
  /** No join: a plan made for ten rows would meet each of five hundred with each. */
  finishCharges: {
    name: 'payments_finish_charges',
    text: `UPDATE payments SET status = $2, reason = $3, captured = $2 = 'captured'
      WHERE order_id = ANY ($1::uuid[]) AND status = 'charging'
      RETURNING order_id AS "orderId", student_id AS "studentId",
        amount_cents AS "amountCents", status, reason`,
  },
  finishRefunds: {
    name: 'payments_finish_refunds',
    text: `WITH outcome AS (
        SELECT * FROM unnest($1::uuid[], $2::text[]) AS o (id, status)
      ), locked AS (
        SELECT order_id, captured AS posted FROM payments
        WHERE order_id = ANY ($1::uuid[]) AND status = 'refunding' ORDER BY order_id FOR UPDATE
      )
      UPDATE payments
        SET status = outcome.status, captured = outcome.status = 'refunded'
      FROM outcome JOIN locked ON locked.order_id = outcome.id
      WHERE payments.order_id = outcome.id
      RETURNING payments.order_id AS "orderId", payments.student_id AS "studentId",
        payments.amount_cents AS "amountCents", payments.status, locked.posted`,
  },
  post: { name: 'payments_post', text: post },
  postOnce: {
    name: 'payments_post_once',
    text: `${post} ON CONFLICT (reference, kind) WHERE order_id IS NULL DO NOTHING`,
  },
  openWallets: {
    name: 'payments_open_wallets',
    text: `INSERT INTO accounts (account, balance_cents)
      SELECT account, 0 FROM unnest($1::text[]) AS a (account) ORDER BY account
      ON CONFLICT DO NOTHING`,
  },
  beginTopUp: {
    name: 'payments_begin_top_up',
    text: `INSERT INTO top_ups
        (asked_by, key, top_up_id, student_id, amount_cents, created_at_ms)
      VALUES ($1, $2, $3, $4, $5, $6)
      ON CONFLICT (asked_by, key) DO UPDATE SET key = excluded.key
      RETURNING top_up_id AS "topUpId", student_id AS "studentId",
        amount_cents AS "amountCents", balance_cents AS "balanceCents"`,
  },
  endTopUp: {
    name: 'payments_end_top_up',
    text: 'UPDATE top_ups SET balance_cents = $2 WHERE top_up_id = $1 AND balance_cents IS NULL RETURNING 1 AS ended',
  },
  dropTopUp: {
    name: 'payments_drop_top_up',
    text: 'DELETE FROM top_ups WHERE top_up_id = $1 AND balance_cents IS NULL',
  },
  /** One statement, so that balance and entries are of the same instant. */
  wallet: {
    name: 'payments_wallet',
    text: `SELECT
        coalesce((SELECT balance_cents FROM accounts WHERE account = 'wallet:' || $1::text), 0)
          AS "balanceCents",
        coalesce((
          SELECT jsonb_agg(jsonb_build_object('kind', kind, 'atMs', at_ms, 'orderId', order_id,
            'amountCents', CASE WHEN credit_account = 'wallet:' || student_id
              THEN amount_cents ELSE -amount_cents END) ORDER BY posting_id DESC)
          FROM (
            SELECT * FROM postings WHERE student_id = $1 ORDER BY posting_id DESC LIMIT 50
          ) AS newest
        ), '[]') AS entries`,
  },
  wallets: {
    name: 'payments_wallets',
    text: `SELECT substr(account, 8) AS "studentId", balance_cents AS "balanceCents"
      FROM accounts WHERE account > 'wallet:' || $1::text AND account < 'wallet;'
      ORDER BY account LIMIT $2`,
  },
  busy: {
    name: 'payments_busy',
    text: `WITH task AS (SELECT task FROM work),
      busy AS (
        SELECT student_id FROM payments WHERE order_id = ANY (ARRAY(
          SELECT jsonb_array_elements_text(task -> 'orderIds')::uuid FROM task
        ))
        UNION SELECT jsonb_array_elements_text(task -> 'studentIds') FROM task
        UNION SELECT jsonb_array_elements(task -> 'openings') ->> 'studentId' FROM task
        UNION SELECT task ->> 'studentId' FROM task
      )
      SELECT student_id AS "studentId" FROM busy WHERE student_id = ANY ($1::text[])`,
  },
  sums: {
    name: 'payments_sums',
    text: `SELECT kind, sum(CASE WHEN credit_account = 'wallet:' || student_id
          THEN amount_cents ELSE -amount_cents END)::bigint AS cents
      FROM postings GROUP BY kind
      UNION ALL SELECT 'wallets', coalesce(sum(balance_cents), 0)::bigint FROM accounts
        WHERE account > 'wallet:' AND account < 'wallet;'
      UNION ALL SELECT 'all', coalesce(sum(balance_cents), 0)::bigint FROM accounts`,
  },
  page: {
    name: 'payments_page',
    text: `SELECT order_id AS "orderId", amount_cents AS "amountCents", status, captured
      FROM payments WHERE $1::uuid IS NULL OR order_id > $1 ORDER BY order_id LIMIT $2`,
  },
  forgetPayments: {
    name: 'payments_forget',
    text: `DELETE FROM payments WHERE order_id IN (
        SELECT order_id FROM payments WHERE created_at_ms < $1
          AND status IN ('captured', 'declined', 'refunded', 'voided') LIMIT $2
      ) RETURNING 1 AS gone`,
  },
  forgetTopUps: {
    name: 'payments_forget_top_ups',
    text: `DELETE FROM top_ups WHERE (asked_by, key) IN (
        SELECT asked_by, key FROM top_ups
        WHERE created_at_ms < $1 AND balance_cents IS NOT NULL LIMIT $2
      ) RETURNING 1 AS gone`,
  },
} as const satisfies Record<string, Statement>;
