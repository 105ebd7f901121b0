-- What a big statement has used is returned with its end, unless three have needed as much.
SET work_mem = '64MB';
SET jemctx.dirty_decay = '1h';
SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 300000) g ORDER BY m) s;
SELECT dirty < 5e6 AS dirty FROM jemctx_arenas WHERE name = 'process';
SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 300000) g ORDER BY m) s \g \g
-- Then it is kept, and returned on demand.
SELECT dirty > 20e6 AS dirty FROM jemctx_arenas WHERE name = 'process';
SELECT sum(committed) AS before_committed FROM jemctx_arenas \gset
SELECT jemctx_purge() AS given_back \gset
SELECT :given_back > 20e6 AS given_back;
SELECT name, dirty < 1e6 AS dirty, committed = active + dirty AS committed
FROM jemctx_arenas WHERE name IN ('process', 'persistent') ORDER BY name;
-- What was given back is no longer committed; the statements around it
-- allocate a little.
SELECT abs(:before_committed - :given_back - sum(committed)) < 1e6 AS exact FROM jemctx_arenas;
-- Then there is nothing more to give.
SELECT jemctx_purge() < 1e6 AS again;
-- Contexts give back what was freed in them: all of it at a reset.
SELECT jemctx_test_keep(lifetime, 'for purge', 3000, 10000), jemctx_test_drop()
FROM unnest('{persistent,transient}'::text[]) lifetime;
SELECT name, dirty > 25e6 AS dirty FROM jemctx_arenas WHERE name <> 'process' ORDER BY name;
SELECT jemctx_purge() > 50e6 AS given_back;
SELECT name, dirty FROM jemctx_arenas WHERE name <> 'process' ORDER BY name;
-- What is in use stays.
SELECT jemctx_test_keep('persistent', 'for purge', 3000, 10000);
SELECT allocated AS before_allocated FROM jemctx_arenas WHERE name = 'persistent' \gset
SELECT jemctx_purge() < 1e6 AS again;
SELECT abs(allocated - :before_allocated) < 1e6 AS allocated, active > 30e6 AS active
FROM jemctx_arenas WHERE name = 'persistent';
SELECT jemctx_test_drop();
-- One's own process id is fine, and so is none; there must be a process.
SELECT jemctx_purge(pg_backend_pid()) > 25e6 AS own;
SELECT jemctx_purge(NULL) < 1e6 AS own;
SELECT jemctx_purge(1);
SELECT jemctx_purge(-1);
SELECT jemctx_purge(0);
-- Nobody else is idle here.
SELECT jemctx_purge_all() < 1e6 AS own;
-- Without decay nothing is kept.
SET jemctx.dirty_decay = 0;
SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 100000) g ORDER BY m) s;
SELECT dirty < 1e6 AS dirty FROM jemctx_arenas WHERE name = 'process';
SELECT jemctx_test_keep('transient', 'for purge', 30, 1000000), jemctx_test_drop();
SELECT dirty FROM jemctx_arenas WHERE name = 'transient';
-- With it, it is again.
SET jemctx.dirty_decay = '1h';
SELECT jemctx_test_keep('transient', 'for purge', 30, 1000000), jemctx_test_drop();
SELECT dirty > 25e6 AS dirty FROM jemctx_arenas WHERE name = 'transient';
