-- Messages that go out by mail and SMS: one row per order, step and channel. What was sent is
-- remembered for a while, so that nothing is put in line a second time.
CREATE TABLE outgoing (
  order_id uuid NOT NULL,
  step text NOT NULL,
  channel text NOT NULL CHECK (channel IN ('mail', 'sms')),
  student_id text NOT NULL,
  -- Empty once it has come to an end: nobody needs it any more.
  text text NOT NULL,
  state text NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'sent', 'refused', 'expired')),
  -- Each lease counts one up; only the holder of the last one may write what became of it.
  attempts integer NOT NULL DEFAULT 0,
  queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When it is due; while it is being sent, when its lease ends.
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  PRIMARY KEY (order_id, step, channel)
) WITH (fillfactor = 70);
CREATE INDEX outgoing_due ON outgoing (channel, due_at) WHERE state = 'waiting';
CREATE INDEX outgoing_ended ON outgoing (ended_at) WHERE state <> 'waiting';
