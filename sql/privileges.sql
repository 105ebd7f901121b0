-- Reading one's own backend is for everyone.
CREATE ROLE regress_jemctx;
SET ROLE regress_jemctx;
SELECT bool_and(active > 0) AS arenas FROM jemctx_arenas WHERE name <> 'transient';
SELECT bool_and(size > 0) AS bins FROM jemctx_bins;
SELECT bool_and(runs > 0) AS chunks FROM jemctx_chunks;
SELECT name FROM jemctx_contexts;
SELECT value FROM jemctx_info WHERE name = 'malloc';
SELECT length(jemctx_stats()) > 1000 AS stats;
SELECT jemctx_stats_json() ? 'jemalloc' AS stats_json;
SELECT jemctx_purge() >= 0 AND jemctx_purge() < 1e6 AS purge;
SELECT pid = pg_backend_pid() AS own FROM jemctx_backends;
-- Other processes are not one's own.
DO $$
BEGIN
	PERFORM jemctx_purge(pid) FROM pg_stat_get_activity(NULL)
		WHERE backend_type IS NULL AND pid <> pg_backend_pid() ORDER BY pid LIMIT 1;
	RAISE 'not found out';
EXCEPTION WHEN insufficient_privilege THEN
	RAISE NOTICE '%', regexp_replace(sqlerrm, '\d+', '(pid)');
END $$;
SELECT * FROM jemctx_server;
-- Profiles show addresses.
SELECT jemctx_profile_start();
SELECT jemctx_profile_stop();
SELECT jemctx_profile_dump();
-- How long memory is kept is for the administrator to say,
SET jemctx.dirty_decay = 0;
ALTER ROLE regress_jemctx SET jemctx.dirty_decay = 0;
RESET ROLE;
-- who can pass on both.
GRANT SET ON PARAMETER jemctx.dirty_decay TO regress_jemctx;
GRANT EXECUTE ON FUNCTION jemctx_profile_start() TO regress_jemctx;
SET ROLE regress_jemctx;
SET jemctx.dirty_decay = 0;
SHOW jemctx.dirty_decay;
RESET jemctx.dirty_decay;
SELECT jemctx_profile_start();
RESET ROLE;
-- Monitoring sees the whole server.
GRANT pg_monitor TO regress_jemctx;
SET ROLE regress_jemctx;
SELECT count(*) > 1 AS others, bool_and(committed > 0) AS committed FROM jemctx_backends;
SELECT processes > 1 AS processes, committed > 1e6 AS committed FROM jemctx_server;
RESET ROLE;
REVOKE pg_monitor FROM regress_jemctx;
-- All of it.
SELECT p.proname, has_function_privilege('public', p.oid, 'EXECUTE') AS public
FROM pg_proc p WHERE p.probin = '$libdir/jemctx' ORDER BY p.proname COLLATE "C";
SELECT c.relname, has_table_privilege('public', c.oid, 'SELECT') AS public,
	has_table_privilege('public', c.oid, 'INSERT, UPDATE, DELETE') AS write
FROM pg_class c JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx')
ORDER BY c.relname COLLATE "C";
REVOKE EXECUTE ON FUNCTION jemctx_profile_start() FROM regress_jemctx;
REVOKE SET ON PARAMETER jemctx.dirty_decay FROM regress_jemctx;
DROP ROLE regress_jemctx;
