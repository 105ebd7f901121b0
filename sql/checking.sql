-- What a checking build finds out; run in such a build only.
\set VERBOSITY terse
CREATE FUNCTION jemctx_debug_check() RETURNS int AS '$libdir/jemctx' LANGUAGE C STRICT;
-- Addresses differ from run to run.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || statement;
	RETURN 'nothing';
EXCEPTION WHEN internal_error THEN
	RETURN regexp_replace(sqlerrm, '0x[0-9a-f]+', '(address)');
END $$;
SELECT jemctx_debug_check() AS problems;
-- Freeing twice, small and large, also when the pages have gone back.
SELECT bytes, jemctx_debug_check() AS problems, error_of(format('jemctx_test_double_free(%L, %s)', lifetime, bytes))
FROM unnest('{persistent,transient}'::text[]) lifetime, unnest('{1,100,5000,100000,1000000}'::int[]) bytes;
SET jemctx.dirty_decay = 0;
SELECT error_of(format('jemctx_test_double_free(%L, %s)', lifetime, bytes))
FROM unnest('{persistent,transient}'::text[]) lifetime, unnest('{100,20000,10000000}'::int[]) bytes;
RESET jemctx.dirty_decay;
SELECT before, error_of(format('jemctx_test_stale(%L, %s, %L)', lifetime, bytes, before))
FROM unnest('{persistent,transient}'::text[]) lifetime, unnest('{100,5000}'::int[]) bytes,
	unnest('{free,resize,reset}'::text[]) before
WHERE before <> 'reset' OR bytes = 100;
-- Addresses that are no chunks.
SELECT other, error_of(format('jemctx_test_inside(%L, %s, %L, %L)', lifetime, bytes, other, resize))
FROM unnest('{persistent,transient}'::text[]) lifetime, unnest('{100,100000}'::int[]) bytes,
	unnest('{f,t}'::bool[]) other, unnest('{f,t}'::bool[]) resize;
-- A context that is gone.
SELECT error_of(format('jemctx_test_deleted(%L)', lifetime)) FROM unnest('{persistent,transient}'::text[]) lifetime;
-- Freed memory is wiped; new memory is filled, differently from chunk to chunk.
SELECT jemctx_test_read_freed(lifetime, bytes) AS freed, jemctx_test_read_new(lifetime, bytes) AS new
FROM unnest('{persistent,transient}'::text[]) lifetime, unnest('{100,5000}'::int[]) bytes;
-- What was asked for is known.
SELECT jemctx_test_keep(lifetime, 'requested', 7, bytes), jemctx_test_keep(lifetime, 'requested', 3, 1000)
FROM unnest('{persistent}'::text[]) lifetime, unnest('{0,1,100,5001,100001}'::int[]) bytes;
SELECT requested = 7 * (1 + 100 + 5001 + 100001) + 5 * 3 * 1000 AS requested, requested <= allocated AS allocated
FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_reset();
SELECT requested FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_drop();
-- Memory that is refused, at every first to fifth request for pages: nothing
-- is lost.  The functions check the contexts, the arenas are looked at here.
SET jemctx.dirty_decay = 0;
SELECT jemctx_test_refused(lifetime, 5) > 10 AS refused FROM unnest('{persistent,transient}'::text[]) lifetime;
SELECT jemctx_purge() >= 0 AS purged;
SELECT name, allocated AS before_allocated FROM jemctx_arenas WHERE name = 'persistent' \gset persistent_
SELECT name, allocated AS before_allocated FROM jemctx_arenas WHERE name = 'transient' \gset transient_
SELECT count(jemctx_test_refused(lifetime, 5))
	FROM unnest('{persistent,transient}'::text[]) lifetime, generate_series(1, 3);
SELECT jemctx_purge() >= 0 AS purged;
SELECT abs(allocated - :persistent_before_allocated) < 50000 AS allocated FROM jemctx_arenas WHERE name = 'persistent';
SELECT abs(allocated - :transient_before_allocated) < 50000 AS allocated FROM jemctx_arenas WHERE name = 'transient';
RESET jemctx.dirty_decay;
SELECT jemctx_debug_check() AS problems;
DROP FUNCTION jemctx_debug_check;
