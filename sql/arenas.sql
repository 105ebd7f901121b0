-- The arenas of this backend, and how their figures fit together.
SET jemctx.dirty_decay = '1h';
SELECT jemctx_test_keep('transient', 'for arenas', 50, 1000000);
SELECT name, lifetime FROM jemctx_arenas ORDER BY name;
SELECT name,
	allocated <= active AS allocated,
	active <= resident AS active,
	committed = active + dirty AS committed,
	resident >= active + dirty AND resident >= metadata AS resident,
	mapped >= active AS mapped,
	muzzy AS muzzy,
	nmalloc > ndalloc AS calls,
	abs(fragmentation - (1 - allocated::float8 / active)) < 1e-9 AS fragmentation
FROM jemctx_arenas ORDER BY name;
-- They add up to jemalloc's totals, which are taken in the same statement
-- right after them: allow 1 MB of the 50 for what is allocated in between.
WITH arenas AS MATERIALIZED (
	SELECT sum(allocated) AS allocated, sum(active) AS active,
		sum(resident) AS resident, sum(mapped) AS mapped, sum(metadata) AS metadata FROM jemctx_arenas),
totals AS MATERIALIZED (
	SELECT jemctx_stats_json()->'jemalloc'->'stats' AS stats FROM arenas WHERE allocated > 50e6)
SELECT abs(allocated - (stats->>'allocated')::bigint) < 1e6 AS allocated,
	abs(active - (stats->>'active')::bigint) < 1e6 AS active,
	abs(resident - (stats->>'resident')::bigint) < 1e6 AS resident,
	abs(mapped - (stats->>'mapped')::bigint) < 1e6 AS mapped,
	abs(metadata - (stats->>'metadata')::bigint) < 1e6 AS metadata
FROM arenas, totals;
-- Nothing allocates from the transient arena in between: there all is equal.
WITH arenas AS MATERIALIZED (
	SELECT * FROM jemctx_arenas WHERE lifetime = 'transient'),
reports AS MATERIALIZED (
	SELECT jemctx_stats_json()->'jemalloc'->'stats.arenas'->(arena::text) AS j FROM arenas)
SELECT allocated - (j->'small'->>'allocated')::bigint - (j->'large'->>'allocated')::bigint AS allocated,
	active / 4096 - (j->>'pactive')::bigint AS active,
	dirty / 4096 - (j->>'pdirty')::bigint AS dirty,
	retained - (j->>'retained')::bigint AS retained,
	mapped - (j->>'mapped')::bigint AS mapped,
	resident - (j->>'resident')::bigint AS resident,
	metadata - (j->>'base')::bigint - (j->>'internal')::bigint AS metadata,
	nmalloc - (j->'small'->>'nmalloc')::bigint - (j->'large'->>'nmalloc')::bigint AS nmalloc,
	ndalloc - (j->'small'->>'ndalloc')::bigint - (j->'large'->>'ndalloc')::bigint AS ndalloc
FROM arenas, reports;
-- What a context takes and returns is in the figures of its arena.
SELECT allocated, active, nmalloc, ndalloc FROM jemctx_arenas WHERE lifetime = 'transient' \gset before_
SELECT jemctx_test_keep('transient', 'for arenas', 20, 1000000);
SELECT allocated - :before_allocated BETWEEN 20000000 AND 25000000 AS allocated,
	active - :before_active BETWEEN 20000000 AND 25000000 AS active,
	nmalloc - :before_nmalloc AS nmalloc, ndalloc - :before_ndalloc AS ndalloc
FROM jemctx_arenas WHERE lifetime = 'transient';
SELECT jemctx_test_drop();
SELECT allocated - :before_allocated < -50000000 AS allocated, ndalloc - :before_ndalloc AS ndalloc,
	dirty > 70000000 AS dirty
FROM jemctx_arenas WHERE lifetime = 'transient';
-- Chunks of all sizes are in the arena of their context's lifetime.
SELECT lifetime, jemctx_test_arena(lifetime) = arena AS own
FROM jemctx_arenas WHERE lifetime <> 'process' ORDER BY lifetime;
-- An index scan takes 27 kB and frees them.  The thread has them cached: they
-- do not come from the arena every time.
SET enable_seqscan = off;
SELECT nmalloc FROM jemctx_arenas WHERE lifetime = 'process' \gset before_
DO $$
BEGIN
	FOR i IN 1 .. 1000 LOOP
		PERFORM relname FROM pg_class WHERE oid = 'pg_class'::regclass;
	END LOOP;
END
$$;
SELECT nmalloc - :before_nmalloc < 500 AS cached FROM jemctx_arenas WHERE lifetime = 'process';
RESET enable_seqscan;
