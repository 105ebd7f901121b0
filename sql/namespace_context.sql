-- The memory context of a namespace.
SELECT jemctx_test_ns_realloc('a');
SELECT jemctx_test_ns_shrink('a');
SELECT objects FROM jemctx_namespaces WHERE name = 'a';
SELECT jemctx_test_ns_build('a');
SELECT jemctx_test_ns_read('a');
-- Another session reads it, changes it and frees it.
\c -
SELECT jemctx_test_ns_read('a');
SELECT jemctx_test_ns_extend('a', true);
\c -
SELECT jemctx_test_ns_read('a');
SELECT jemctx_test_parallel('on');
SELECT jemctx_test_ns_read('a');
SELECT jemctx_test_parallel('off');
SELECT jemctx_test_ns_extend('a', false);
SELECT objects, allocated FROM jemctx_namespaces WHERE name = 'a';
-- A reset of the context.
SELECT jemctx_test_ns_build('a');
SELECT jemctx_test_ns_context_reset('a');
SELECT objects, committed FROM jemctx_namespaces WHERE name = 'a';
SELECT jemctx_test_ns_context_reset('a');
-- It is nobody's child.
SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'a';
