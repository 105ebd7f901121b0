-- jemalloc's own report.
SELECT jemctx_stats() ~ '^___ Begin jemalloc statistics ___\n.*\n--- End jemalloc statistics ---\n$' AS whole;
SELECT length(jemctx_stats('mdablxe')) < length(jemctx_stats()) / 2 AS shorter;
SELECT jemctx_stats() ~ '\nVersion: ' AS general, jemctx_stats('g') ~ '\nVersion: ' AS omitted;
-- As JSON, by the option and by the function. jemalloc 5.3.1 has a section more.
SELECT jsonb_object_keys(jemctx_stats('J')::jsonb);
SELECT key FROM jsonb_object_keys(jemctx_stats_json()->'jemalloc') key WHERE key <> 'system' ORDER BY key COLLATE "C";
SELECT jemctx_stats_json()->'jemalloc'->>'version' = value AS version
FROM jemctx_info WHERE name = 'jemalloc_version';
-- What jemctx has told jemalloc.
SELECT j->'opt'->'narenas' AS narenas, j->'opt'->'oversize_threshold' AS oversize_threshold,
	j->'opt'->'background_thread' AS background_thread,
	(j->'stats'->>'allocated')::bigint BETWEEN 1e6 AND 100e6 AS allocated
FROM (SELECT jemctx_stats_json()->'jemalloc' AS j) s;
-- There is a report on each arena.
SELECT arena, name FROM jemctx_arenas
WHERE NOT jemctx_stats_json()->'jemalloc'->'stats.arenas' ? arena::text;
-- Taking reports leaves nothing behind.
SELECT count(length(jemctx_stats())) FROM generate_series(1, 10);
SELECT allocated AS before_allocated FROM jemctx_arenas WHERE name = 'process' \gset
SELECT count(length(jemctx_stats())) FROM generate_series(1, 100);
SELECT abs(allocated - :before_allocated) < 500000 AS same FROM jemctx_arenas WHERE name = 'process';
SELECT jemctx_stats(NULL) IS NULL AS strict;
