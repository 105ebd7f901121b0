-- What transient contexts do.
SELECT jemctx_test_sizes('transient');
SELECT jemctx_test_realloc('transient');
SELECT jemctx_test_flags('transient');
SET client_min_messages = error;
SELECT jemctx_test_no_memory('transient');
RESET client_min_messages;
SELECT jemctx_test_tree('transient');
SELECT jemctx_test_create('transient');
SELECT jemctx_test_critical('transient');
SELECT jemctx_test_users('transient');
SELECT jemctx_test_stats('transient');
SELECT jemctx_test_torture('transient', 1, 50000);
SELECT jemctx_test_torture('transient', 2, 50000);
