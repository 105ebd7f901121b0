-- The size classes add up to what their arena has allocated.  The statement
-- itself allocates between looking at the one and the other.
SELECT jemctx_test_keep('persistent', 'for bins', 100, 5000);
SELECT jemctx_test_keep('persistent', 'for bins', 3, 1000000);
SELECT a.name, abs(sum(b.size * b.curregs) - max(a.allocated)) < 2e5 AS allocated,
	bool_and(b.utilization > 0 AND b.utilization <= 1) AS utilization,
	bool_and(b.waste >= 0) AS waste
FROM jemctx_arenas a JOIN jemctx_bins b USING (arena)
GROUP BY a.arena, a.name ORDER BY a.name;
-- The small chunks of persistent contexts lie in runs.
SELECT jemctx_test_keep('persistent', 'for chunks', 1000, 240);
SELECT size, chunks >= 1000 AS chunks, runs BETWEEN chunks / 16 AND chunks / 16 + 10 AS runs,
	utilization > 0.9 AS utilization, waste = runs * 4096 - chunks * size AS waste
FROM jemctx_chunks WHERE size = 256;
SELECT jemctx_test_reset();
SELECT size, chunks < 1000 AS chunks FROM jemctx_chunks WHERE size = 256;
SELECT jemctx_test_drop();
