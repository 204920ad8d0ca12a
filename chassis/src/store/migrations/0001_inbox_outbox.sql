-- Both tables are small and busy: rows come and go all the time. Vacuum follows the count of dead
-- rows, not a share of the table, so that it comes often and finds little.

CREATE TABLE outbox (
  id uuid PRIMARY KEY,
  topic text NOT NULL,
  at_ms bigint NOT NULL,
  traceparent text,
  events text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now()
) WITH (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 1000
);

-- The ids of the messages whose effects are in this database.
CREATE TABLE inbox (
  message_id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- Rows are written in time order: a block range index is enough to find the old ones.
CREATE INDEX inbox_at ON inbox USING brin (at);
