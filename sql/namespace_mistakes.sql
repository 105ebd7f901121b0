-- Freeing what is not to be freed is an ERROR, and nothing else.
CREATE FUNCTION mistake(mistake text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM jemctx_test_ns_mistake('a', mistake);
	RETURN 'not found out';
EXCEPTION WHEN invalid_parameter_value OR feature_not_supported THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', regexp_replace(SQLERRM, '0x[0-9a-f]+|\(nil\)', 'POINTER'), nullif(detail, ''));
END $$;
SELECT mistake, mistake(mistake) FROM unnest(array['foreign', 'nothing', 'inside', 'inside large', 'other', 'twice',
	'twice apart', 'twice at once', 'large twice', 'pfree twice', 'delete', 'usable size', 'usable size of freed',
	'usable size of large freed']) mistake;
-- What the process keeps to be fast, it gives back when it says so, also within a statement.
DO $$
DECLARE
	kept bigint;
	flushed bigint;
BEGIN
	PERFORM jemctx_test_ns_fill('a', 100, 10000), jemctx_test_ns_drain('a');
	SELECT cached INTO kept FROM jemctx_namespaces WHERE name = 'a';
	PERFORM jemctx_test_ns_flush();
	SELECT cached INTO flushed FROM jemctx_namespaces WHERE name = 'a';
	RAISE NOTICE 'kept %, flushed %', kept > 0, flushed;
END $$;
SELECT jemctx_test_ns_sizes('a');
SELECT jemctx_test_ns_zero('a');
SELECT allocated + cached + free = committed AS adds_up FROM jemctx_namespaces WHERE name = 'a';
SELECT jemctx_namespace_reset('a');
DROP FUNCTION mistake(text);
