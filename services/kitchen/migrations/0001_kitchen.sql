-- One row that every change of several tickets locks first, so that stations are filled by one
-- process at a time, and in turn.
CREATE TABLE kitchen (one boolean PRIMARY KEY DEFAULT true CHECK (one));
INSERT INTO kitchen DEFAULT VALUES;

-- A voided ticket may be a tombstone: the order was cancelled before its ticket came.
CREATE TABLE tickets (
  order_id uuid PRIMARY KEY,
  arrival bigint GENERATED ALWAYS AS IDENTITY,
  pickup_number integer NOT NULL DEFAULT 0,
  lines jsonb NOT NULL DEFAULT '[]',
  status text NOT NULL
    CHECK (status IN ('waiting', 'cooking', 'ready', 'collected', 'refused', 'voided')),
  -- How long it will cook, drawn when it came.
  cook_ms integer NOT NULL DEFAULT 0 CHECK (cook_ms >= 0),
  station integer CHECK (station IS NULL OR status = 'cooking'),
  -- While it cooks: when it will be ready. After that: when it was.
  ready_at_ms bigint,
  reason text,
  arrived_at_ms bigint NOT NULL,
  CHECK (status <> 'cooking' OR (station IS NOT NULL AND ready_at_ms IS NOT NULL))
) WITH (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX tickets_waiting ON tickets (arrival) WHERE status = 'waiting';
-- One ticket at a station, whatever the code believes.
CREATE UNIQUE INDEX tickets_cooking ON tickets (station) WHERE status = 'cooking';
CREATE INDEX tickets_ready ON tickets (ready_at_ms) WHERE status = 'ready';
CREATE INDEX tickets_arrived ON tickets USING brin (arrived_at_ms);
