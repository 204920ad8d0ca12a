-- What clients are told of an order is built when it is read, and most of it never is. `data` stays
-- for the menu. Nobody asks for parts of it, so it need not be looked into.
ALTER TABLE events
  ADD COLUMN pickup_number integer,
  ADD COLUMN reason text,
  ADD COLUMN step_at_ms bigint,
  ADD COLUMN ready_at_ms bigint,
  ALTER COLUMN data DROP NOT NULL,
  ALTER COLUMN data TYPE text USING data::text;
