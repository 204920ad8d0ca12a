-- Events stay for milliseconds: to compress them costs more than to write all of them.
ALTER TABLE outbox ALTER COLUMN events SET STORAGE EXTERNAL;
