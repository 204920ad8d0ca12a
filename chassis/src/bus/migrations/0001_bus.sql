-- One row per message and queue. Rows come and go all the time; a delivery changes only columns
-- that no index holds, in the room that each page keeps free for it.
CREATE TABLE messages (
  queue text NOT NULL,
  id uuid NOT NULL,
  topic text NOT NULL,
  at_ms bigint NOT NULL,
  traceparent text,
  events text NOT NULL,
  -- The advisory lock that the consumer's connection holds; the row is free when nobody holds it.
  owner integer,
  attempts integer NOT NULL DEFAULT 0,
  delays integer NOT NULL DEFAULT 0,
  available_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (queue, id)
) WITH (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 1000
);

CREATE TABLE dead_letters (
  letter_id uuid PRIMARY KEY,
  queue text NOT NULL,
  id uuid NOT NULL,
  topic text NOT NULL,
  at_ms bigint NOT NULL,
  traceparent text,
  events text NOT NULL,
  attempts integer NOT NULL,
  error text NOT NULL,
  died_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX dead_letters_died_at ON dead_letters (died_at);
