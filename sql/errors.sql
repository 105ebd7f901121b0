-- What cannot be done is said clearly.
DO $$
DECLARE
	statement text;
	code text;
	detail text;
	hint text;
BEGIN
	FOREACH statement IN ARRAY '{jemctx_profile_start(), jemctx_profile_stop(), jemctx_profile_dump()}'::text[] LOOP
		BEGIN
			EXECUTE 'SELECT ' || statement;
			RAISE 'no error';
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			RAISE INFO '%: % % / % / %', statement, code, sqlerrm, detail, hint;
		END;
	END LOOP;
END $$;
CREATE EXTENSION jemctx;
\set VERBOSITY terse
SELECT * FROM jemctx_purge('1'::text);
\set VERBOSITY default
-- The views cannot be written to.
UPDATE jemctx_arenas SET allocated = 0;
DELETE FROM jemctx_contexts;
-- It is there already.
LOAD 'jemctx';
-- After errors, in and below transactions, memory is as it was.
SELECT jemctx_test_keep('transient', 'beside errors', 100, 1000);
SELECT chunks, allocated FROM jemctx_contexts WHERE name = 'kept' \gset before_
BEGIN;
SAVEPOINT s;
SELECT jemctx_profile_dump();
ROLLBACK TO s;
SELECT jemctx_test_sizes('nonsense');
ROLLBACK;
SELECT chunks - :before_chunks AS chunks, allocated - :before_allocated AS allocated
FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_drop();
-- Contexts that a statement has left are deleted when it fails, with all chunks.
SELECT allocated AS before_allocated FROM jemctx_arenas WHERE name = 'persistent' \gset
DO $$
BEGIN
	FOR i IN 1..1000 LOOP
		BEGIN
			PERFORM jemctx_test_double_free('persistent', 2000);
		EXCEPTION WHEN internal_error THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT name FROM jemctx_contexts WHERE name <> 'CacheMemoryContext';
SELECT abs(allocated - :before_allocated) < 200000 AS same FROM jemctx_arenas WHERE name = 'persistent';
