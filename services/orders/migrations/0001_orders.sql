-- Orders, and our own copy of the menu, from which they are priced.

CREATE SEQUENCE pickup_numbers MINVALUE 1 MAXVALUE 9999 CYCLE;

CREATE TABLE orders (
  order_id uuid PRIMARY KEY,
  student_id text NOT NULL,
  -- Null once the key is free again: refused at once, or older than 24 hours.
  idem_key text,
  fingerprint text NOT NULL,
  lines json NOT NULL,
  total_cents integer NOT NULL CHECK (total_cents >= 0),
  pickup_number integer NOT NULL DEFAULT nextval('pickup_numbers'),
  accepted_at_ms bigint NOT NULL,
  deadline_at_ms bigint NOT NULL,
  status text NOT NULL,
  reason text,
  -- "status:atMs" of each step so far, with blanks between.
  history text NOT NULL,
  -- The status that its first answer told; null until there is one.
  answered text,
  -- Who asked for the cancellation that the kitchen is deciding.
  cancel_by text,
  -- Not paid and not ended: the deadline runs.
  unpaid boolean NOT NULL DEFAULT true,
  UNIQUE (student_id, idem_key)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

-- No index holds `status`: the steps of an order then stay in its page (HOT updates).
CREATE INDEX orders_of_student ON orders (student_id, order_id);
CREATE INDEX orders_deadline ON orders (deadline_at_ms) WHERE unpaid;

CREATE TABLE menu_items (
  item_id text PRIMARY KEY,
  name text NOT NULL,
  price_cents integer NOT NULL,
  removed boolean NOT NULL,
  version bigint NOT NULL
);
