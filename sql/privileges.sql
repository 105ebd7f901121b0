-- Reading one's own backend is for everyone.
CREATE ROLE regress_jemctx;
SET ROLE regress_jemctx;
SELECT bool_and(active > 0) AS arenas FROM jemctx_arenas WHERE name <> 'transient';
SELECT bool_and(size > 0) AS bins FROM jemctx_bins;
SELECT bool_and(runs > 0) AS chunks FROM jemctx_chunks;
SELECT name FROM jemctx_contexts;
SELECT value FROM jemctx_info WHERE name = 'malloc';
SELECT length(jemctx_stats()) > 1000 AS stats;
SELECT jemctx_purge() >= 0 AS purge;
-- Profiles show addresses.
SELECT jemctx_profile_start();
SELECT jemctx_profile_stop();
SELECT jemctx_profile_dump();
SET jemctx.dirty_decay = 0;
RESET ROLE;
DROP ROLE regress_jemctx;
