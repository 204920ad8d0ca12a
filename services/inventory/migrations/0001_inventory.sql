-- The menu with its stock. The balances are derived from stock_ledger and checked against it by the
-- audit. fillfactor: a hot item is rewritten thousands of times, each time within its page.
CREATE TABLE items (
  item_id text PRIMARY KEY,
  name text NOT NULL,
  category text NOT NULL,
  price_cents integer NOT NULL CHECK (price_cents >= 0),
  removed boolean NOT NULL DEFAULT false,
  version integer NOT NULL,
  initial integer NOT NULL,
  added integer NOT NULL,
  sold integer NOT NULL CHECK (sold >= 0),
  on_hand integer NOT NULL,
  reserved integer NOT NULL CHECK (reserved >= 0),
  stock_version bigint NOT NULL,
  CHECK (on_hand >= reserved),
  CHECK (on_hand = initial + added - sold)
) WITH (fillfactor = 20);

-- What is set aside for an order, or was; a `released` one without lines is a tombstone.
CREATE TABLE holds (
  order_id uuid PRIMARY KEY,
  status text NOT NULL CHECK (status IN ('reserved', 'committed', 'released')),
  -- JSON, as text: only the audit looks into it.
  lines text NOT NULL,
  created_at_ms bigint NOT NULL
-- Half of a page is left free, so that the end of all holds in it is written there, too (HOT updates).
) WITH (fillfactor = 50);

CREATE INDEX holds_created_at ON holds USING brin (created_at_ms) WITH (pages_per_range = 32);

-- Append only: what was done to the stock, one row per item and kind for each transaction.
CREATE TABLE stock_ledger (
  entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  item_id text NOT NULL,
  kind text NOT NULL CHECK (
    kind IN ('initial', 'added', 'reserved', 'released', 'committed', 'returned', 'archived')
  ),
  quantity bigint NOT NULL,
  -- The message, request batch or edit that caused it.
  cause text NOT NULL,
  at_ms bigint NOT NULL
);

CREATE INDEX stock_ledger_at ON stock_ledger USING brin (at_ms) WITH (pages_per_range = 32);

-- Which seeds were sown. A seed is sown once, whatever became of its items.
CREATE TABLE seeds (
  name text PRIMARY KEY,
  at_ms bigint NOT NULL
);
