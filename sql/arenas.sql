-- The arenas of this backend, and how their figures fit together.
SELECT jemctx_test_keep('transient', 'for arenas', 50, 1000000);
SELECT name, lifetime FROM jemctx_arenas ORDER BY arena;
SELECT name,
	allocated <= active AS allocated,
	active <= resident AS active,
	committed = active + dirty AS committed,
	resident >= active + dirty + metadata AS resident,
	mapped >= active AS mapped,
	muzzy = 0 AS muzzy,
	nmalloc >= ndalloc AS calls,
	abs(fragmentation - (1 - allocated::float8 / active)) < 1e-9 AS fragmentation
FROM jemctx_arenas ORDER BY arena;
-- They add up to jemalloc's totals.  The two are taken one after the other in
-- one statement, so allow 1 % for what that allocates.
SELECT abs(a.allocated - (t.stats->>'allocated')::bigint) < a.allocated * 0.01 AS allocated,
	abs(a.active - (t.stats->>'active')::bigint) < a.active * 0.01 AS active,
	abs(a.resident - (t.stats->>'resident')::bigint) < a.resident * 0.01 AS resident
FROM (SELECT jemctx_stats('Jmdablxe')::jsonb->'jemalloc'->'stats' AS stats OFFSET 0) t,
	LATERAL (SELECT sum(allocated) AS allocated, sum(active) AS active, sum(resident) AS resident
		FROM jemctx_arenas WHERE t.stats IS NOT NULL) a;
-- A context's chunks are in the arena of its lifetime.
SELECT lifetime, jemctx_test_arena(lifetime) = arena AS own
FROM jemctx_arenas WHERE lifetime <> 'process' ORDER BY lifetime;
SELECT jemctx_test_drop();
