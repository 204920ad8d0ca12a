-- How often a consumer vanished while it held this message.
ALTER TABLE messages ADD COLUMN deaths integer NOT NULL DEFAULT 0;
