-- The catalog caches are in a persistent context, and grow and shrink in it.
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
DO $$
BEGIN
	FOR i IN 1..100 LOOP
		EXECUTE format('CREATE TABLE parted_%s PARTITION OF parted FOR VALUES FROM (%s) TO (%s)',
			i, i * 10, i * 10 + 10);
	END LOOP;
END $$;
\c -
SELECT name, parent, level, lifetime FROM jemctx_contexts;
SELECT chunks, allocated FROM jemctx_contexts WHERE name = 'CacheMemoryContext' \gset before_
SELECT count(*) FROM parted;
SELECT chunks > :before_chunks + 500 AS chunks, allocated > :before_allocated + 100000 AS allocated
FROM jemctx_contexts WHERE name = 'CacheMemoryContext';
-- PostgreSQL's own view has the same figures.  The first run of the
-- statement fills the caches, so that they do not change during the second.
PREPARE difference AS SELECT b.total_nblocks - c.chunks AS chunks, b.used_bytes = b.total_bytes AS used,
	b.total_bytes - c.allocated AS total
FROM pg_backend_memory_contexts b JOIN jemctx_contexts c USING (name) WHERE name = 'CacheMemoryContext';
EXECUTE difference \gset ignored_
EXECUTE difference;
-- The chunks are in the arena.
SELECT a.allocated >= c.allocated AS allocated
FROM jemctx_arenas a JOIN jemctx_contexts c USING (arena) WHERE c.name = 'CacheMemoryContext';
-- What is no longer cached is free at once, as it is not in an AllocSet.
SELECT chunks, allocated FROM jemctx_contexts WHERE name = 'CacheMemoryContext' \gset before_
DROP TABLE parted;
SELECT chunks < :before_chunks - 500 AS chunks, allocated < :before_allocated - 100000 AS allocated
FROM jemctx_contexts WHERE name = 'CacheMemoryContext';
