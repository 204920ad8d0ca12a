-- Half of a page is left free: then the first step of all orders in it, which follows at once, stays
-- in the page (a HOT update), and leaves room for the next.
ALTER TABLE orders SET (fillfactor = 45);

-- Plans of prepared statements are made on an empty table and kept while it grows. A scan of the
-- whole table is the cheapest way at that moment, and would stay it for a minute of a rush.
DO $$
BEGIN
  EXECUTE format(
    'ALTER ROLE %I IN DATABASE %I SET enable_seqscan = off', current_user, current_database()
  );
END
$$;
