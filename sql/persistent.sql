-- What persistent contexts do.
SELECT jemctx_test_sizes('persistent');
SELECT jemctx_test_realloc('persistent');
SELECT jemctx_test_flags('persistent');
SET client_min_messages = error;
SELECT jemctx_test_no_memory('persistent');
RESET client_min_messages;
SELECT jemctx_test_tree('persistent');
SELECT jemctx_test_create('persistent');
SELECT jemctx_test_critical('persistent');
SELECT jemctx_test_users('persistent');
SELECT jemctx_test_stats('persistent');
SELECT jemctx_test_torture('persistent', 1, 50000);
SELECT jemctx_test_torture('persistent', 2, 50000);
-- Freeing a chunk twice is found out.
\set VERBOSITY sqlstate
SELECT jemctx_test_double_free('persistent');
\set VERBOSITY default
-- Everything was given back.
SELECT sum(chunks) FROM jemctx_contexts WHERE name <> 'CacheMemoryContext';
