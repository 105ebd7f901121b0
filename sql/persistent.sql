-- What persistent contexts do.
-- Chunks keep what is in them, wherever they are, and go when they are freed.
SELECT jemctx_test_sizes('persistent');
SELECT jemctx_test_realloc('persistent');
SELECT jemctx_test_steps('persistent');
-- Flags, and what cannot be had.
SELECT jemctx_test_huge('persistent');
SELECT jemctx_test_zero('persistent');
SELECT jemctx_test_no_memory('persistent');
SELECT jemctx_test_critical('persistent');
-- Reset, delete, children.
SELECT jemctx_test_callbacks('persistent');
SELECT jemctx_test_parents('persistent');
SELECT jemctx_test_empty('persistent');
-- PostgreSQL's own structures.
SELECT jemctx_test_list('persistent');
SELECT jemctx_test_string('persistent');
SELECT jemctx_test_hash('persistent');
SELECT jemctx_test_parse_tree('persistent');
-- Figures.
SELECT jemctx_test_stats('persistent');
-- Contexts come and go without growth: what a few caches keep from the first
-- time is enough for the second.
SELECT jemctx_test_create('persistent', 5000);
SELECT jemctx_purge() >= 0 AS purged;
SELECT sum(allocated) AS before_allocated FROM jemctx_arenas \gset
-- what the last statement takes of the catalog caches is not to count
SELECT abs(sum(allocated) - :before_allocated) < 100000 AS same FROM jemctx_arenas \gset
SELECT sum(allocated) AS before_allocated FROM jemctx_arenas \gset
SELECT jemctx_test_create('persistent', 5000);
SELECT jemctx_test_create('persistent', 5000);
SELECT jemctx_purge() >= 0 AS purged;
SELECT abs(sum(allocated) - :before_allocated) < 100000 AS same FROM jemctx_arenas;
-- Freeing a chunk twice is found out.
DO $$
BEGIN
	PERFORM jemctx_test_double_free('persistent', 100);
	RAISE 'not found out';
EXCEPTION WHEN internal_error THEN
	RAISE NOTICE '%', regexp_replace(sqlerrm, '0x[0-9a-f]+', '(address)');
END $$;
-- Everything was given back: there is no context, and its memory is unused.
SELECT jemctx_purge() >= 0 AS purged;
SELECT name FROM jemctx_contexts WHERE name <> 'CacheMemoryContext';
SELECT a.allocated - c.allocated < 1000000 AS allocated
FROM jemctx_arenas a, jemctx_contexts c
WHERE a.name = 'persistent' AND c.name = 'CacheMemoryContext';
-- Large chunks grow, whole, where the kernel has hardly any mappings left.
SELECT jemctx_test_few_mappings('persistent') > 0 AS grown;
