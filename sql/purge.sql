-- What a big statement has used is returned on demand.
SET work_mem = '64MB';
SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 300000) g ORDER BY m) s;
SELECT dirty > 20e6 AS dirty FROM jemctx_arenas WHERE name = 'process';
SELECT jemctx_purge() > 20e6 AS given_back;
SELECT name, dirty < 1e6 AS dirty, committed = active + dirty AS committed
FROM jemctx_arenas WHERE name IN ('process', 'persistent') ORDER BY name;
-- One's own process id is fine, another's is not.
SELECT jemctx_purge(pg_backend_pid()) >= 0 AS own;
SELECT jemctx_purge(1);
-- Without decay nothing is kept.
SET jemctx.dirty_decay = 0;
SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 100000) g ORDER BY m) s;
SELECT dirty < 1e6 AS dirty FROM jemctx_arenas WHERE name = 'process';
