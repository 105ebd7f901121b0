-- What the server runs on.
CREATE EXTENSION jemctx;
CREATE EXTENSION jemctx_test;
SELECT name, value FROM jemctx_info
WHERE name IN ('origin', 'malloc', 'profiling', 'dispatch', 'overcommit');
SELECT value ~ '^5\.[3-9]\.' AS version FROM jemctx_info WHERE name = 'jemalloc_version';
SELECT value ~ '^/.*libjemalloc' AS library FROM jemctx_info WHERE name = 'library';
SELECT name, value::int > 0 AS positive FROM jemctx_info WHERE name = 'page_size';
-- Every object tells what it is.
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx')
	AND d.deptype = 'e'
	AND d.classid <> 'pg_type'::regclass
	AND obj_description(d.objid, d.classid::regclass::text) IS NULL
ORDER BY 1;
