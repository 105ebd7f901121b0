-- What transient contexts do.
-- Chunks keep what is in them, wherever they are, and go when they are freed.
SELECT jemctx_test_sizes('transient');
SELECT jemctx_test_realloc('transient');
SELECT jemctx_test_steps('transient');
-- Flags, and what cannot be had.
SELECT jemctx_test_huge('transient');
SELECT jemctx_test_zero('transient');
SELECT jemctx_test_no_memory('transient');
SELECT jemctx_test_critical('transient');
-- Reset, delete, children.
SELECT jemctx_test_callbacks('transient');
SELECT jemctx_test_parents('transient');
SELECT jemctx_test_empty('transient');
-- PostgreSQL's own structures.
SELECT jemctx_test_list('transient');
SELECT jemctx_test_string('transient');
SELECT jemctx_test_hash('transient');
SELECT jemctx_test_parse_tree('transient');
-- Figures.
SELECT jemctx_test_stats('transient');
-- Contexts come and go without growth: what a few caches keep from the first
-- time is enough for the second.
SELECT jemctx_test_create('transient', 5000);
SELECT sum(allocated) AS before_allocated FROM jemctx_arenas \gset
-- what the last statement takes of the catalog caches is not to count
SELECT abs(sum(allocated) - :before_allocated) < 100000 AS same FROM jemctx_arenas \gset
SELECT sum(allocated) AS before_allocated FROM jemctx_arenas \gset
SELECT jemctx_test_create('transient', 5000);
SELECT jemctx_test_create('transient', 5000);
SELECT abs(sum(allocated) - :before_allocated) < 100000 AS same FROM jemctx_arenas;
-- Large chunks grow, whole, where the kernel has hardly any mappings left.
SELECT jemctx_test_few_mappings('transient') > 0 AS grown;
