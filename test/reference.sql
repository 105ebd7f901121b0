-- The lines of docs/reference.md, from what the settings and the extension say of themselves.
-- "make reference" writes that file, and test/t/082_reference.pl compares it.

SET search_path = public;

-- A text in a cell of a table, what stands between commas as code, and who may do what PUBLIC may, or one role may.
CREATE FUNCTION pg_temp.cell(text) RETURNS text LANGUAGE sql AS $$ SELECT replace($1, '|', '\|') $$;
CREATE FUNCTION pg_temp.code(text) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg('`' || word || '`', ', ') FROM unnest(string_to_array($1, ', ')) word $$;
CREATE FUNCTION pg_temp.who(everybody bool, monitoring bool) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN everybody THEN 'everybody' WHEN monitoring THEN '`pg_read_all_stats`'
		ELSE 'superusers, grantable' END $$;

CREATE TEMP VIEW parts AS
SELECT d.classid, d.objid FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx') AND d.deptype = 'e';

\echo '# Reference'
\echo
\echo 'What settings, views and functions say of themselves: `make reference` writes this page, and a test compares it.'
\echo 'Sizes are bytes, where nothing else is said. See [README](../README.md) for what to do with them.'
\echo
\echo '## Settings'
\echo
\echo 'Superusers can also set what *superuser* and *everybody* may change for a role or a database.'
\echo
\echo '| setting | default | values | changed by | |'
\echo '|---|---|---|---|---|'
SELECT format('| `%s` | %s | %s | %s | %s |', name,
	CASE WHEN boot_val = '' THEN '' ELSE '`' || current_setting(name) || '`' END,
	CASE vartype
		WHEN 'bool' THEN '`on`, `off`'
		WHEN 'enum' THEN pg_temp.code(array_to_string(enumvals, ', '))
		WHEN 'string' THEN 'text'
		ELSE concat_ws(' ', min_val, 'to', max_val, unit) END,
	CASE context
		WHEN 'postmaster' THEN 'restart'
		WHEN 'sighup' THEN 'reload'
		WHEN 'superuser' THEN 'superuser'
		WHEN 'user' THEN 'everybody' ELSE context END,
	pg_temp.cell(concat_ws(' ', short_desc, extra_desc)))
FROM pg_settings
WHERE name LIKE 'jemctx.%' AND name NOT LIKE 'jemctx.debug%'
ORDER BY name COLLATE "C";

\echo
\echo '## Views'
WITH relation AS (
	SELECT c.oid, c.relname, obj_description(c.oid, 'pg_class') AS comment,
		pg_temp.who(has_table_privilege('public', c.oid, 'SELECT'),
			has_table_privilege('pg_read_all_stats', c.oid, 'SELECT')) AS who
	FROM parts JOIN pg_class c ON c.oid = objid AND classid = 'pg_class'::regclass
),
lines AS (
	SELECT relname, 0 AS attnum, format(E'\n### `%s`\n\n%s. For %s.\n\n| column | type | |\n|---|---|---|',
		relname, upper(left(comment, 1)) || substr(comment, 2), who) AS line
	FROM relation
	UNION ALL
	SELECT relname, attnum, format('| `%s` | `%s` | %s |', attname, format_type(atttypid, atttypmod),
		pg_temp.cell(col_description(attrelid, attnum)))
	FROM relation JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0
)
SELECT line FROM lines ORDER BY relname COLLATE "C", attnum;

\echo
\echo '## Functions'
\echo
\echo '| function | returns | for | |'
\echo '|---|---|---|---|'
SELECT format('| `%s(%s)` | `%s` | %s | %s |', proname,
	regexp_replace(pg_get_function_arguments(p.oid), '::\w+', '', 'g'), pg_get_function_result(p.oid),
	pg_temp.who(has_function_privilege('public', p.oid, 'EXECUTE'),
		has_function_privilege('pg_read_all_stats', p.oid, 'EXECUTE')),
	pg_temp.cell(obj_description(p.oid, 'pg_proc')))
FROM parts JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass
-- the others are what views are made of
WHERE proname NOT LIKE 'jemctx_get_%'
ORDER BY proname COLLATE "C";
