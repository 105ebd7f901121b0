-- What becomes of allocations that a limit refuses.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT pg_backend_pid() AS pid \gset
SELECT refused AS before_refused FROM jemctx_backends WHERE pid = :pid \gset
SET jemctx.backend_memory_limit = '32MB';
-- Each that is denied counts, once, whether an error is made of it or not.
SELECT jemctx_test_cope(100000000), jemctx_test_cope(100000000), jemctx_test_cope(100000000);
SELECT refused - :before_refused AS refused FROM jemctx_backends WHERE pid = :pid;
-- One that only needs a purge does not, nor is anything told of it.
SELECT length(repeat('x', megabytes * 1000000)) FROM unnest('{10,7,5,9,3,10}'::int[]) megabytes;
SELECT refused - :before_refused AS refused FROM jemctx_backends WHERE pid = :pid;
-- The next error is told why only if it is about this lack of memory.
\set VERBOSITY default
CREATE FUNCTION pg_temp.fail_after_coping(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	IF NOT jemctx_test_cope(100000000) THEN
		RAISE 'not refused';
	END IF;
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws('|', state, message, regexp_replace(detail, '\d+', 'N', 'g'), hint);
END $$;
SELECT pg_temp.fail_after_coping('SELECT nocolumn');
SELECT pg_temp.fail_after_coping($$DO 'BEGIN RAISE ''no space in the garage''
	USING errcode = ''out_of_memory'', detail = ''Two cars.''; END'$$);
SELECT pg_temp.fail_after_coping($$DO 'BEGIN RAISE ''out of memory''
	USING errcode = ''out_of_memory'', hint = ''Ask Bob.''; END'$$);
SELECT pg_temp.fail_after_coping($$SELECT length(repeat('x', 100000000))$$);
-- But not of what the limit has nothing to do with.
SELECT pg_temp.fail_after_coping('SELECT jemctx_test_beyond()');
-- Without a size, realloc returns NULL and has done its work.
SELECT jemctx_test_realloc_zero(100000000);
-- What nobody could have is no reason to purge.
SET jemctx.backend_memory_limit = '200MB';
DO $$
DECLARE
	before jemctx_backends;
	after jemctx_backends;
BEGIN
	PERFORM jemctx_test_cope(1000000000), length(repeat('x', 50000000));
	SELECT * INTO before FROM jemctx_backends WHERE pid = pg_backend_pid();
	PERFORM jemctx_test_impossible();
	SELECT * INTO after FROM jemctx_backends WHERE pid = pg_backend_pid();
	RAISE NOTICE 'unused memory stays: %, refused: %', after.committed > before.committed - 1000000,
		after.refused - before.refused;
END $$;
-- Another thread cannot raise an error: it gets what it asks for.
SET jemctx.backend_memory_limit = '32MB';
SELECT refused AS before_refused FROM jemctx_backends WHERE pid = :pid \gset
SELECT jemctx_test_thread(100000000);
SELECT refused - :before_refused AS refused FROM jemctx_backends WHERE pid = :pid;
RESET jemctx.backend_memory_limit;
