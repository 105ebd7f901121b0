-- jemalloc's own report.
SELECT jemctx_stats() LIKE '%Begin jemalloc statistics%' AS report;
SELECT length(jemctx_stats('mdablxe')) < length(jemctx_stats()) AS shorter;
SELECT jemctx_stats_json()->'jemalloc'->>'version' = (SELECT value FROM jemctx_info WHERE name = 'jemalloc_version') AS version;
SELECT j->'opt'->'narenas' AS narenas, j->'opt'->'oversize_threshold' AS oversize_threshold,
	(j->'stats'->>'allocated')::bigint > 1e6 AS allocated
FROM (SELECT jemctx_stats_json()->'jemalloc' AS j) s;
