-- The settings, as a server has them that was told nothing but to load jemctx.
SELECT name, boot_val, setting = boot_val AS unchanged, unit, vartype, context
FROM pg_settings WHERE name LIKE 'jemctx.%' AND name NOT LIKE 'jemctx.debug%' ORDER BY name COLLATE "C";
SELECT name FROM pg_settings
WHERE name LIKE 'jemctx.%' AND (short_desc IS NULL OR short_desc !~ '^[A-Z].*\.$');
SHOW jemctx.dirty_decay;
-- Those that the server starts with cannot be changed.
SET jemctx.jemalloc_library = 'libc.so.6';
SET jemctx.process_malloc = system;
SET jemctx.cache_contexts = off;
SET jemctx.profile = on;
-- Nor can any be what makes no sense.
SET jemctx.dirty_decay = '1GB';
ALTER SYSTEM SET jemctx.process_malloc = 'glibc';
SET jemctx.nonsense = 1;
SET jemctx.server_memory_limit = '1GB';
-- Each has a range, which majors write in two ways.
\set VERBOSITY sqlstate
SET jemctx.dirty_decay = -2;
SET jemctx.idle_purge_after = -2;
SET jemctx.idle_cache_limit = -2;
SET jemctx.idle_cache_after = -1;
SET jemctx.busy_cache_limit = -2;
SET jemctx.backend_memory_limit = -1;
\set VERBOSITY default
SELECT name, unit, min_val, max_val FROM pg_settings WHERE name ~ '^jemctx\.(dirty|idle|busy|backend)_' ORDER BY name;
-- A backend that has little lets jemalloc decide how long to keep it, in all
-- arenas there are.
SELECT jemctx_test_keep('transient', 'for settings', 1, 1);
BEGIN;
SET LOCAL jemctx.dirty_decay = '12s';
SELECT name, j->'stats.arenas'->(arena::text)->>'dirty_decay_ms' AS dirty_decay_ms
FROM jemctx_arenas, (SELECT jemctx_stats_json()->'jemalloc' AS j OFFSET 0) s ORDER BY name;
ROLLBACK;
-- One that has had much decides itself, and lets jemalloc decide nothing but
-- to keep nothing.
SELECT length(string_agg(md5(g::text), ',')) FROM generate_series(1, 500000) g;
SET jemctx.dirty_decay = 0;
SELECT name, j->'stats.arenas'->(arena::text)->>'dirty_decay_ms' AS dirty_decay_ms
FROM jemctx_arenas, (SELECT jemctx_stats_json()->'jemalloc' AS j OFFSET 0) s ORDER BY name;
BEGIN;
SET LOCAL jemctx.dirty_decay = '12s';
SELECT name, j->'stats.arenas'->(arena::text)->>'dirty_decay_ms' AS dirty_decay_ms
FROM jemctx_arenas, (SELECT jemctx_stats_json()->'jemalloc' AS j OFFSET 0) s ORDER BY name;
ROLLBACK;
SELECT name, j->'stats.arenas'->(arena::text)->>'dirty_decay_ms' AS dirty_decay_ms
FROM jemctx_arenas, (SELECT jemctx_stats_json()->'jemalloc' AS j OFFSET 0) s ORDER BY name;
RESET jemctx.dirty_decay;
SELECT jemctx_test_drop();
