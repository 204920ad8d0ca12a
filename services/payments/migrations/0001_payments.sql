-- One row for each order. A voided one may be a tombstone, without student and amount.
CREATE TABLE payments (
  order_id uuid PRIMARY KEY,
  student_id text NOT NULL DEFAULT '',
  amount_cents bigint NOT NULL DEFAULT 0 CHECK (amount_cents >= 0),
  status text NOT NULL
    CHECK (status IN ('charging', 'captured', 'declined', 'refunding', 'refunded', 'voided')),
  captured boolean NOT NULL DEFAULT false,
  reason text,
  created_at_ms bigint NOT NULL
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX payments_created ON payments USING brin (created_at_ms);

-- What is still to be asked of the provider. Small: a row goes when its outcome is written.
CREATE TABLE work (
  work_id uuid PRIMARY KEY,
  task jsonb NOT NULL,
  attempts integer NOT NULL DEFAULT 1,
  due_at_ms bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE top_ups (
  asked_by text NOT NULL,
  key text NOT NULL,
  top_up_id uuid NOT NULL,
  student_id text NOT NULL,
  amount_cents bigint NOT NULL CHECK (amount_cents > 0),
  balance_cents bigint,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (asked_by, key)
);

-- Double entry: a posting takes from one account what it gives to another, so the sum over all
-- accounts is 0 by shape. Every posting touches one student's wallet.
CREATE TABLE postings (
  posting_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL
    CHECK (kind IN ('opening', 'top_up', 'adjustment', 'capture', 'refund')),
  reference text NOT NULL,
  student_id text COLLATE "C" NOT NULL,
  debit_account text COLLATE "C" NOT NULL,
  credit_account text COLLATE "C" NOT NULL,
  amount_cents bigint NOT NULL CHECK (amount_cents > 0),
  order_id uuid,
  at_ms bigint NOT NULL,
  CHECK (debit_account <> credit_account),
  CHECK ('wallet:' || student_id IN (debit_account, credit_account)),
  PRIMARY KEY (student_id, posting_id)
);

-- An order is captured once and refunded once, and nothing else counts twice either.
CREATE UNIQUE INDEX postings_of_order ON postings (order_id, kind) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX postings_of_others ON postings (reference, kind) WHERE order_id IS NULL;

-- What the postings add up to. Only the trigger below writes amounts.
CREATE TABLE accounts (
  account text COLLATE "C" PRIMARY KEY,
  balance_cents bigint NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE FUNCTION add_up_postings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- One at a time: two batches over the same wallets would wait for each other in a circle. They
  -- meet at the shop's own accounts in any case.
  PERFORM pg_advisory_xact_lock(20612);
  WITH legs AS (
    SELECT account, sum(cents) AS cents FROM (
      SELECT debit_account AS account, -amount_cents AS cents FROM added
      UNION ALL SELECT credit_account, amount_cents FROM added
    ) AS both_sides GROUP BY account
  ), known AS (
    UPDATE accounts SET balance_cents = balance_cents + legs.cents
    FROM legs WHERE accounts.account = legs.account RETURNING accounts.account
  )
  INSERT INTO accounts (account, balance_cents)
  SELECT account, cents FROM legs WHERE account NOT IN (SELECT account FROM known)
  ON CONFLICT (account) DO UPDATE
    SET balance_cents = accounts.balance_cents + excluded.balance_cents;
  RETURN NULL;
END $$;

CREATE TRIGGER postings_add_up AFTER INSERT ON postings
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION add_up_postings();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'postings are append-only';
END $$;

CREATE TRIGGER postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
