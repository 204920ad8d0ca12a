-- A claim must cost the same whether nothing or a hundred thousand messages wait for their time.
CREATE INDEX messages_ready ON messages (queue, available_at) WHERE owner IS NULL;
CREATE INDEX messages_owned ON messages (queue) WHERE owner IS NOT NULL;
