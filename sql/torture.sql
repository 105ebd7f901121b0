-- Random sizes, lives, resizes and resets in several contexts at once.
SELECT jemctx_test_torture('persistent', 1, 200000);
SELECT jemctx_test_torture('persistent', 2, 200000);
SELECT jemctx_test_torture('transient', 3, 200000);
SELECT jemctx_test_torture('transient', 4, 200000);
-- Again and again, it needs no more than the first times.
SELECT jemctx_purge() > 0 AS purged;
SELECT name, allocated, committed FROM jemctx_arenas WHERE name = 'persistent' \gset persistent_
SELECT name, allocated, committed FROM jemctx_arenas WHERE name = 'transient' \gset transient_
SELECT count(jemctx_test_torture(lifetime, seed, 50000))
FROM unnest('{persistent,transient}'::text[]) lifetime, generate_series(5, 14) seed;
SELECT jemctx_purge() > 0 AS purged;
SELECT abs(allocated - :persistent_allocated) < 200000 AS allocated,
	abs(committed - :persistent_committed) < 1000000 AS committed
FROM jemctx_arenas WHERE name = 'persistent';
SELECT abs(allocated - :transient_allocated) < 200000 AS allocated,
	abs(committed - :transient_committed) < 1000000 AS committed
FROM jemctx_arenas WHERE name = 'transient';
