// The provider's SQL. Each statement takes a whole batch. Where a table is joined with one, `= ANY`
// says so again, so that the index is used from the start.

import type { Statement } from '@rushlight/chassis';

export const statements = {
  open: {
    name: 'provider_open',
    text: `INSERT INTO accounts (student_id, opening_cents, balance_cents)
      SELECT DISTINCT ON (id) id, cents, cents
      FROM unnest($1::text[], $2::bigint[]) AS opening (id, cents) ORDER BY id
      ON CONFLICT DO NOTHING
      RETURNING student_id AS "studentId", opening_cents AS "openingCents"`,
  },
  openings: {
    name: 'provider_openings',
    text: `SELECT student_id AS "studentId", opening_cents AS "openingCents"
      FROM accounts WHERE student_id = ANY ($1::text[])`,
  },
  lock: {
    name: 'provider_lock',
    text: `SELECT student_id AS "studentId", balance_cents AS "balanceCents"
      FROM accounts WHERE student_id = ANY ($1::text[]) ORDER BY student_id FOR UPDATE`,
  },
  charges: {
    name: 'provider_charges',
    text: `SELECT payment_id AS "paymentId", student_id AS "studentId",
        amount_cents AS "amountCents", outcome, refunded
      FROM charges WHERE payment_id = ANY ($1::text[])`,
  },
  record: {
    name: 'provider_record',
    text: `INSERT INTO charges (payment_id, student_id, amount_cents, outcome, refunded)
      SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::boolean[])`,
  },
  markRefunded: {
    name: 'provider_mark_refunded',
    text: 'UPDATE charges SET refunded = true WHERE payment_id = ANY ($1::text[])',
  },
  setBalances: {
    name: 'provider_set_balances',
    text: `UPDATE accounts SET balance_cents = wanted.cents
      FROM unnest($1::text[], $2::bigint[]) AS wanted (id, cents)
      WHERE student_id = wanted.id AND student_id = ANY ($1::text[])`,
  },
  append: {
    name: 'provider_append',
    text: `INSERT INTO ledger (kind, reference, student_id, amount_cents, at_ms)
      SELECT kind, reference, student_id, cents, $5
      FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
        AS entry (kind, reference, student_id, cents)`,
  },
  answer: {
    name: 'provider_answer',
    text: 'SELECT asked, answer FROM answers WHERE key = $1',
  },
  keepAnswer: {
    name: 'provider_keep_answer',
    text: 'INSERT INTO answers (key, asked, answer, at_ms) VALUES ($1, $2, $3, $4)',
  },
  forgetAnswers: {
    name: 'provider_forget_answers',
    text: `DELETE FROM answers WHERE key IN (
        SELECT key FROM answers WHERE at_ms < $1 LIMIT $2
      ) RETURNING 1 AS gone`,
  },
  balance: {
    name: 'provider_balance',
    text: 'SELECT balance_cents AS "balanceCents" FROM accounts WHERE student_id = $1',
  },
  balances: {
    name: 'provider_balances',
    text: `SELECT student_id AS "studentId", balance_cents AS "balanceCents"
      FROM accounts WHERE student_id > $1 ORDER BY student_id LIMIT $2`,
  },
  ledger: {
    name: 'provider_ledger',
    text: `SELECT entry_id AS "entryId", kind, reference, student_id AS "studentId",
        amount_cents AS "amountCents", at_ms AS "atMs"
      FROM ledger WHERE entry_id > $1 ORDER BY entry_id LIMIT $2`,
  },
  sums: {
    name: 'provider_sums',
    text: `SELECT kind, sum(amount_cents)::bigint AS cents FROM ledger GROUP BY kind
      UNION ALL SELECT 'balance', coalesce(sum(balance_cents), 0)::bigint FROM accounts`,
  },
} as const satisfies Record<string, Statement>;
