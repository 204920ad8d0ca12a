-- The simulated card provider's own books.

CREATE TABLE accounts (
  student_id text COLLATE "C" PRIMARY KEY,
  balance_cents bigint NOT NULL DEFAULT 0 CHECK (balance_cents >= 0),
  opening_cents bigint NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What was decided under a payment id, for ever.
CREATE TABLE charges (
  payment_id text COLLATE "C" PRIMARY KEY,
  student_id text NOT NULL,
  amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
  outcome text NOT NULL CHECK (outcome IN ('captured', 'insufficient_funds', 'declined')),
  refunded boolean NOT NULL DEFAULT false
) WITH (fillfactor = 95);

CREATE TABLE ledger (
  entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL
    CHECK (kind IN ('opening', 'top_up', 'adjustment', 'capture', 'refund')),
  reference text COLLATE "C" NOT NULL,
  student_id text COLLATE "C" NOT NULL,
  amount_cents bigint NOT NULL CHECK (amount_cents <> 0),
  at_ms bigint NOT NULL
);

-- Captures are unique by the primary key of charges, whose rows they are written with.
CREATE UNIQUE INDEX ledger_once ON ledger (reference, kind) WHERE kind <> 'capture';

-- The answers to calls that carry a key of their own.
CREATE TABLE answers (
  key text PRIMARY KEY,
  asked text NOT NULL,
  answer text NOT NULL,
  at_ms bigint NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only';
END $$;

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
