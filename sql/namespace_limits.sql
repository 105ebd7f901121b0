-- The limit of a namespace.
SELECT jemctx_namespace_set_limit('other', 4 * 1024 * 1024);
SELECT size_limit FROM jemctx_namespaces WHERE name = 'other';
SELECT jemctx_test_ns_fill('other', 100, 100000000) BETWEEN 3000000 AND 4200000 AS filled;
SELECT committed BETWEEN 4e6 AND size_limit AS full, refused > 0 AS refused FROM jemctx_namespaces WHERE name = 'other';
DO $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	PERFORM jemctx_test_ns_no_memory('other', 12000);
EXCEPTION WHEN out_of_memory THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RAISE NOTICE '% % | % | %', state, message, regexp_replace(detail, 'holds \d+', 'holds N'), hint;
END $$;
-- Large objects, too.
DO $$
BEGIN
	PERFORM jemctx_test_ns_no_memory('other', 10000000);
EXCEPTION WHEN out_of_memory THEN
	RAISE NOTICE '%', SQLERRM;
END $$;
-- With palloc it is PostgreSQL that reports it.
DO $$
DECLARE
	detail text; hint text;
BEGIN
	PERFORM jemctx_test_ns_build('other');
EXCEPTION WHEN out_of_memory THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RAISE NOTICE '% | % | %', SQLERRM, regexp_replace(detail, 'holds \d+', 'holds N'), hint;
END $$;
-- With more it goes on, with less what is there stays.
SELECT jemctx_namespace_set_limit('other', 6 * 1024 * 1024);
SELECT jemctx_test_ns_fill('other', 1000, 1000000);
SELECT jemctx_namespace_set_limit('other', 1024);
SELECT jemctx_test_ns_fill('other', 13000, 1000000);
SELECT jemctx_test_ns_check('other') > 30000 AS all_there;
SELECT jemctx_namespace_set_limit('other', 0);
SELECT jemctx_test_ns_fill('other', 50000, 20000000);
SELECT jemctx_test_ns_drain('other') > 30000 AS drained;
SELECT objects, allocated FROM jemctx_namespaces WHERE name = 'other';
-- The region is a limit, and so is what palloc may be asked for.
SELECT jemctx_test_ns_huge('other', true);
SELECT jemctx_test_ns_huge('other', false);
