-- Namespaces from SQL, and objects in them.
SELECT jemctx_namespace_create('a');
SELECT jemctx_namespace_create('other', 8 * 1024 * 1024::bigint);
SELECT name, size_limit, allocated, cached, free, committed, objects, refused, has_root, created_at <= now() AS created
FROM jemctx_namespaces ORDER BY name;
SELECT jemctx_namespace_create('a');
SELECT jemctx_namespace_create('');
SELECT jemctx_namespace_create(repeat('x', 64));
SELECT jemctx_namespace_create('b', -1);
SELECT jemctx_namespace_drop('b');
SELECT jemctx_namespace_reset('b');
SELECT jemctx_namespace_set_limit('b', 1);
-- All sizes.
SELECT jemctx_test_ns_sizes('a');
SELECT jemctx_test_ns_zero('a');
-- The figures add up, and what is purged is gone.
SELECT name, allocated, objects, allocated + cached + free = committed AS adds_up, resident <= committed AS resident,
	fills > 0 AS fills, flushes > 0 AS flushes
FROM jemctx_namespaces WHERE name = 'a';
-- What one session leaves, another has.
SELECT jemctx_test_ns_fill('a', 100, 1000000);
SELECT objects, has_root, allocated BETWEEN 1000000 AND 1500000 AS allocated,
	allocated + cached + free = committed AS adds_up, resident BETWEEN allocated AND committed AS resident
FROM jemctx_namespaces WHERE name = 'a';
\c -
SELECT jemctx_test_ns_check('a');
SELECT jemctx_test_ns_drain('a', 4000);
SELECT objects FROM jemctx_namespaces WHERE name = 'a';
SELECT jemctx_test_ns_fill('a', 50000, 1000000);
SELECT objects, allocated + cached + free = committed AS adds_up FROM jemctx_namespaces WHERE name = 'a';
\c -
SELECT jemctx_test_ns_check('a');
-- A parallel worker has it, too.
SELECT jemctx_test_parallel('on');
SELECT jemctx_test_ns_check('a');
SELECT jemctx_test_parallel('off');
SELECT jemctx_test_ns_drain('a');
SELECT objects, allocated, has_root FROM jemctx_namespaces WHERE name = 'a';
-- Nothing of it is undone.
BEGIN;
SELECT jemctx_test_ns_fill('a', 100, 1000);
ROLLBACK;
SELECT jemctx_test_ns_check('a');
-- What a process gives back to others is not what it has just made.
SELECT count(jemctx_test_ns_stale('a', 'keep')), jemctx_test_ns_flush() FROM generate_series(1, 2);
SELECT objects FROM jemctx_namespaces WHERE name = 'a';
SELECT jemctx_test_ns_fill('a', 100, 1000);
SELECT jemctx_test_ns_stale('a', 'look');
-- A reset leaves nothing, a drop not even a name.
SELECT jemctx_namespace_reset('a');
SELECT objects, allocated, committed, has_root FROM jemctx_namespaces WHERE name = 'a';
SELECT jemctx_test_ns_check('a');
SELECT jemctx_test_ns_fill('a', 100, 1000);
SELECT jemctx_namespace_drop('a');
SELECT name FROM jemctx_namespaces;
SELECT jemctx_test_ns_check('a');
SELECT jemctx_namespace_create('a');
SELECT jemctx_test_ns_check('a');
SELECT objects, committed FROM jemctx_namespaces WHERE name = 'a';
-- What is kept over a reset or a drop is of no use.
SELECT jemctx_test_ns_stale('a', 'keep');
SELECT jemctx_test_ns_stale('a', 'look');
SELECT jemctx_namespace_reset('a');
SELECT jemctx_test_ns_stale('a', 'look');
\set VERBOSITY sqlstate
SELECT jemctx_test_ns_stale('a', 'free');
\set VERBOSITY default
SELECT jemctx_test_ns_stale('a', 'allocate');
SELECT jemctx_test_ns_stale('a', 'free');
SELECT jemctx_test_ns_stale('a', 'allocate');
SELECT jemctx_namespace_drop('a');
SELECT jemctx_test_ns_stale('a', 'allocate');
SELECT jemctx_test_ns_stale('a', 'free');
SELECT jemctx_test_ns_stale('a', 'root');
SELECT jemctx_namespace_create('a');
SELECT jemctx_test_ns_stale('a', 'allocate');
\set VERBOSITY sqlstate
SELECT jemctx_test_ns_stale('a', 'free in it');
\set VERBOSITY default
SELECT objects FROM jemctx_namespaces WHERE name = 'a';
-- There are as many as there can be.
SELECT count(jemctx_namespace_create('many ' || i)) FROM generate_series(1, 62) i;
SELECT jemctx_namespace_create('too many');
SELECT count(jemctx_namespace_drop('many ' || i)) FROM generate_series(1, 62) i;
SELECT count(*) FROM jemctx_namespaces;
-- Its size classes are among the others'.
SELECT jemctx_test_ns_fill('a', 100 - 24, 76000);
SELECT arena, size, curregs BETWEEN 1000 AND 1008 AS curregs, curslabs, waste = curslabs * 4096 - curregs * 96 AS waste
FROM jemctx_bins WHERE namespace = 'a';
SELECT jemctx_namespace_reset('a');
SELECT count(*) FROM jemctx_bins WHERE namespace = 'a';
-- The region.
SELECT pg_size_pretty(value::bigint) FROM jemctx_info WHERE name = 'region_size';
SELECT value ~ '^0x[0-9a-f]+$' AS address FROM jemctx_info WHERE name = 'region_address';
-- The keeper has slabs ready before somebody has to wait for them.
SELECT jemctx_namespace_create('ahead');
DO $$
DECLARE
	since timestamptz := clock_timestamp();
BEGIN
	FOR step IN 1 .. 12 LOOP
		PERFORM jemctx_test_ns_fill('ahead', 4000, 16 * 4000);
		WHILE (SELECT free < 16 * 4096 FROM jemctx_namespaces WHERE name = 'ahead') LOOP
			IF clock_timestamp() > since + interval '60 s' THEN
				RAISE 'none are ready in step %', step;
			END IF;
			PERFORM pg_sleep(0.01);
		END LOOP;
	END LOOP;
END $$;
SELECT jemctx_namespace_drop('ahead');
-- All this is for superusers to do, and for those who read statistics to see.
CREATE ROLE regress_jemctx_ns;
SET ROLE regress_jemctx_ns;
SELECT count(*) FROM jemctx_namespaces;
SELECT jemctx_namespace_create('mine');
SELECT jemctx_namespace_drop('a');
SELECT jemctx_namespace_reset('a');
SELECT jemctx_namespace_set_limit('a', 1);
SELECT count(*) FROM jemctx_bins WHERE namespace IS NOT NULL;
SELECT value IS NULL AS hidden FROM jemctx_info WHERE name = 'region_address';
RESET ROLE;
GRANT pg_monitor TO regress_jemctx_ns;
GRANT EXECUTE ON FUNCTION jemctx_namespace_create(text, bigint, boolean) TO regress_jemctx_ns;
SET ROLE regress_jemctx_ns;
SELECT jemctx_namespace_create('mine', 1000000);
SELECT name, size_limit FROM jemctx_namespaces ORDER BY name;
RESET ROLE;
SELECT jemctx_namespace_drop('mine');
REVOKE EXECUTE ON FUNCTION jemctx_namespace_create(text, bigint, boolean) FROM regress_jemctx_ns;
DROP ROLE regress_jemctx_ns;
