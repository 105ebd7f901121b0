-- What the extension consists of, and that each part tells what it is; in some majors row types are parts, too.
SELECT pg_describe_object(d.classid, d.objid, 0) AS object
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx')
	AND d.deptype = 'e' AND d.classid <> 'pg_type'::regclass
ORDER BY pg_describe_object(d.classid, d.objid, 0) COLLATE "C";
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
FROM pg_depend d
LEFT JOIN pg_description c ON c.classoid = d.classid AND c.objoid = d.objid AND c.objsubid = 0
WHERE d.refclassid = 'pg_extension'::regclass
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx')
	AND d.deptype = 'e' AND d.classid <> 'pg_type'::regclass
	AND coalesce(c.description, '') = '';
SELECT attrelid::regclass AS relation, attname AS without_comment
FROM pg_depend d
JOIN pg_attribute a ON d.classid = 'pg_class'::regclass AND a.attrelid = d.objid AND attnum > 0
WHERE d.refclassid = 'pg_extension'::regclass
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx')
	AND d.deptype = 'e'
	AND coalesce(col_description(attrelid, attnum), '') = '';
SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'jemctx';
-- Columns, in their order and with their types, are what others rely on.
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_depend d
JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx') AND d.deptype = 'e'
ORDER BY c.relname COLLATE "C", a.attnum;
-- It goes without a trace, and comes back, in a schema that nobody searches.
DROP EXTENSION jemctx;
SELECT proname FROM pg_proc WHERE probin = '$libdir/jemctx';
SELECT name FROM jemctx_arenas;
CREATE SCHEMA apart;
CREATE EXTENSION jemctx SCHEMA apart;
SELECT name FROM apart.jemctx_arenas ORDER BY name;
SELECT apart.jemctx_stats_json() ? 'jemalloc' AS stats;
ALTER EXTENSION jemctx SET SCHEMA public;
SELECT name FROM jemctx_contexts;
