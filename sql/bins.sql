-- The size classes in use, and what lies in them.
SELECT jemctx_test_keep('persistent', 'for bins', 100, 5000);
-- Classes add up to what their arena has allocated.  Catalog caches grow when
-- a statement is run for the first time, so run this one twice.
SELECT a.name, sum(b.size * b.curregs) - max(a.allocated) AS difference
FROM jemctx_arenas a JOIN jemctx_bins b USING (arena)
WHERE a.name <> 'process' GROUP BY a.name \gset ignored_
SELECT a.name, sum(b.size * b.curregs) - max(a.allocated) AS difference
FROM jemctx_arenas a JOIN jemctx_bins b USING (arena)
WHERE a.name <> 'process' GROUP BY a.name ORDER BY a.name;
-- In malloc's arena, with what the statement allocates between the two views.
SELECT a.name, abs(sum(b.size * b.curregs) - max(a.allocated)) < 200000 AS nearly
FROM jemctx_arenas a JOIN jemctx_bins b USING (arena)
WHERE a.name = 'process' GROUP BY a.name;
-- Places of slabs are taken or wasted; there is nothing else in them.
SELECT count(*) > 10 AS several, bool_and(curslabs > 0) AS curslabs,
	bool_and(nonfull_slabs BETWEEN 0 AND curslabs) AS nonfull_slabs,
	bool_and(abs(utilization - curregs * size / (curregs * size + waste)::float8) < 1e-9) AS utilization
FROM jemctx_bins WHERE curslabs IS NOT NULL;
SELECT bool_and(curregs > 0) AS curregs, min(size) > 8192 AS size, bool_and(nonfull_slabs IS NULL) AS nonfull_slabs,
	bool_and(utilization = 1) AS utilization, sum(waste) AS waste
FROM jemctx_bins WHERE curslabs IS NULL;
-- New chunks are in the class for their size.
SELECT coalesce(sum(curregs) FILTER (WHERE size BETWEEN 5000 AND 6200), 0) AS small,
	coalesce(sum(curregs) FILTER (WHERE size BETWEEN 1000000 AND 1300000), 0) AS large
FROM jemctx_bins JOIN jemctx_arenas USING (arena) WHERE name = 'persistent' \gset before_
SELECT jemctx_test_keep('persistent', 'for bins', 100, 5000);
SELECT jemctx_test_keep('persistent', 'for bins', 3, 1000000);
SELECT sum(curregs) FILTER (WHERE size BETWEEN 5000 AND 6200) - :before_small AS small,
	sum(curregs) FILTER (WHERE size BETWEEN 1000000 AND 1300000) - :before_large AS large
FROM jemctx_bins JOIN jemctx_arenas USING (arena) WHERE name = 'persistent';
-- The small chunks of persistent contexts lie in runs, which are objects of
-- the arena: 240 bytes and a header have 16 places in a page, and two fewer
-- in a checking build, whose headers are larger.
SELECT allocated AS before_allocated FROM jemctx_contexts WHERE name = 'kept' \gset
SELECT jemctx_test_keep('persistent', 'for chunks', 1, 240);
SELECT allocated - :before_allocated AS size, 4096 / (allocated - :before_allocated) AS places
FROM jemctx_contexts WHERE name = 'kept' \gset
SELECT (:size, :places) IN ((256, 16), (288, 14)) AS size;
-- The first run of a statement fills the caches.
PREPARE taken(bigint) AS SELECT chunks - $1 AS chunks, runs BETWEEN chunks / :places AND chunks / :places + 10 AS runs,
	utilization > 0.9 AS utilization,
	abs(utilization - chunks * size / (chunks * size + waste)::float8) < 1.0 / :places AS waste
FROM jemctx_chunks WHERE size = :size;
EXECUTE taken(0) \gset before_
SELECT jemctx_test_keep('persistent', 'for chunks', 1000, 240);
EXECUTE taken(:before_chunks) \gset ignored_
EXECUTE taken(0) \gset before_
SELECT jemctx_test_keep('persistent', 'for chunks', 1000, 240);
EXECUTE taken(:before_chunks);
-- Without those that are kept empty, which a purge gives back, each run of a
-- page is an object of that size.
PREPARE difference AS SELECT b.curregs - (SELECT sum(c.runs) FROM jemctx_chunks c
	WHERE (c.chunks * c.size + c.waste) / c.runs = 4096) AS difference
FROM jemctx_bins b JOIN jemctx_arenas a USING (arena) WHERE a.name = 'persistent' AND b.size = 4096;
EXECUTE difference \gset ignored_
SELECT jemctx_purge() > 0 AS purged;
EXECUTE difference;
SELECT jemctx_test_reset();
EXECUTE taken(:before_chunks) \gset after_
SELECT :after_chunks BETWEEN -1001 AND -980 AS chunks;
SELECT jemctx_test_drop();
