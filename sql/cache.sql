-- The catalog caches are in a persistent context, and grow in it.
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
DO $$
BEGIN
	FOR i IN 1..100 LOOP
		EXECUTE format('CREATE TABLE parted_%s PARTITION OF parted FOR VALUES FROM (%s) TO (%s)',
			i, i * 10, i * 10 + 10);
	END LOOP;
END $$;
\c -
SELECT chunks, allocated FROM jemctx_contexts WHERE name = 'CacheMemoryContext' \gset before_
SELECT count(*) FROM parted;
SELECT chunks > :before_chunks + 500 AS chunks, allocated > :before_allocated + 100000 AS allocated
FROM jemctx_contexts WHERE name = 'CacheMemoryContext';
SELECT abs(b.total_bytes - c.allocated) < 300000 AS total, b.parent
FROM pg_backend_memory_contexts b JOIN jemctx_contexts c USING (name) WHERE name = 'CacheMemoryContext';
DROP TABLE parted;
