-- The stream, the menu as the stream last told it, and how far the messages out have come.

-- One row: the last id given. Its lock makes the order of ids the order of commits.
CREATE TABLE stream_head (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  last_id bigint NOT NULL,
  -- The last id that is no longer kept: who comes with an older one has missed something.
  forgotten_id bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO stream_head (last_id) VALUES (0);

CREATE TABLE events (
  id bigint PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('order', 'menu')),
  -- Whose it is; null is everybody's.
  student_id text,
  order_id uuid,
  status text,
  data json NOT NULL,
  at_ms bigint NOT NULL
);
-- One event per order and status.
CREATE UNIQUE INDEX events_order_status ON events (order_id, status) WHERE order_id IS NOT NULL;

CREATE TABLE menu_state (
  item_id text PRIMARY KEY,
  available integer,
  stock_version bigint NOT NULL DEFAULT -1,
  name text,
  category text,
  price_cents integer,
  removed boolean,
  item_version bigint NOT NULL DEFAULT -1,
  -- Changed since the stream last told it.
  dirty boolean NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE messages_out (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  last_id bigint NOT NULL
);
INSERT INTO messages_out (last_id) VALUES (0);
