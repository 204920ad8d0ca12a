-- Users, the keys that sign their tokens, and the tokens that died before their time.

CREATE TABLE users (
  student_id text PRIMARY KEY,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('student', 'kitchen', 'admin')),
  -- argon2id in PHC form; null for a crowd student, who has tokens and no password.
  password_hash text,
  -- Made by the lab: may not log in while the lab is off.
  lab boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL
);

CREATE TABLE signing_keys (
  kid text PRIMARY KEY,
  private_jwk jsonb NOT NULL,
  -- Signed tokens while the lab was on: not trusted once it is off.
  lab boolean NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE revocations (
  revocation_id uuid PRIMARY KEY,
  token_id text,
  subject text,
  issued_before_s double precision,
  expires_at_s bigint NOT NULL,
  CHECK ((token_id IS NULL) <> (subject IS NULL))
);
CREATE INDEX revocations_expiry ON revocations (expires_at_s);
