-- 20 lines of 50 of the dearest item are more cents than 32 bits hold.

ALTER TABLE orders ALTER COLUMN total_cents TYPE bigint;
