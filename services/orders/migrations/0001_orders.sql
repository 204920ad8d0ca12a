-- Orders, and our own copy of the menu, from which they are priced.

CREATE SEQUENCE pickup_numbers MINVALUE 1 MAXVALUE 9999 CYCLE;

CREATE TABLE orders (
  order_id uuid PRIMARY KEY,
  student_id text NOT NULL,
  -- Null once the key is free again: refused at once, or older than 24 hours.
  idem_key text,
  fingerprint text NOT NULL,
  -- JSON, as text: nothing in here ever looks into it.
  lines text NOT NULL,
  -- 20 lines of 50 of the dearest item are more cents than 32 bits hold.
  total_cents bigint NOT NULL CHECK (total_cents >= 0),
  pickup_number integer NOT NULL DEFAULT nextval('pickup_numbers'),
  accepted_at_ms bigint NOT NULL,
  deadline_at_ms bigint NOT NULL,
  changed_at_ms bigint NOT NULL,
  status text NOT NULL,
  reason text,
  -- "status:atMs" of each step so far, with blanks between.
  history text NOT NULL,
  -- The status that its first answer told; null until there is one.
  answered text,
  -- Who asked for the cancellation that the kitchen is deciding.
  cancel_by text,
  -- Finds a student's orders, too: there is no second index for that.
  UNIQUE (student_id, idem_key)
-- Half of a page is left free: then the first step of all orders in it, which follows at once, stays
-- in the page, and leaves room for the next. No index holds what a step changes, so that every step
-- may stay there (HOT updates).
) WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.05);

-- Batches of orders that the sweeper has to look at when their time comes: a row for each batch
-- instead of an index entry for each order. Ids are made in time order, so a batch is a range of ids.
CREATE TABLE watched_batches (
  first_id uuid NOT NULL,
  last_id uuid NOT NULL,
  -- The earliest of its orders.
  accepted_at_ms bigint NOT NULL,
  deadline_at_ms bigint NOT NULL,
  maybe_pending boolean NOT NULL DEFAULT true
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE INDEX watched_batches_accepted ON watched_batches (accepted_at_ms) WHERE maybe_pending;
CREATE INDEX watched_batches_deadline ON watched_batches (deadline_at_ms);

CREATE TABLE menu_items (
  item_id text PRIMARY KEY,
  name text NOT NULL,
  price_cents integer NOT NULL,
  removed boolean NOT NULL,
  version bigint NOT NULL
);

-- Plans of prepared statements are made on an empty table and kept while it grows. A scan of the
-- whole table is the cheapest way at that moment, and would stay it for a minute of a rush.
DO $$
BEGIN
  EXECUTE format(
    'ALTER ROLE %I IN DATABASE %I SET enable_seqscan = off', current_user, current_database()
  );
END
$$;
