-- What the server runs on.
CREATE EXTENSION jemctx;
CREATE EXTENSION jemctx_test;
SELECT name FROM jemctx_info;
SELECT name, value FROM jemctx_info
WHERE name IN ('origin', 'malloc', 'profiling') ORDER BY name;
-- PostgreSQL has a table of methods from 16 on.
SELECT value ~ CASE WHEN current_setting('server_version_num')::int < 160000 THEN '^vtable$'
	ELSE '^method ids? [0-9]+(, [0-9]+)*$' END AS dispatch FROM jemctx_info WHERE name = 'dispatch';
SELECT value ~ '^5\.([3-9]|[1-9][0-9])\.' AS version FROM jemctx_info WHERE name = 'jemalloc_version';
-- The library is a file, and mapped into this process.
SELECT value ~ '^/' AS path, length(pg_read_binary_file(value, 0, 4)) AS readable,
	position(substring(value FROM '[^/]*$') IN pg_read_file('/proc/self/maps')) > 0 AS mapped
FROM jemctx_info WHERE name = 'library';
-- The rest is what the kernel says.
SELECT (value::int & (value::int - 1)) = 0 AND value::int >= 4096 AS page_size
FROM jemctx_info WHERE name = 'page_size';
SELECT value = CASE pg_read_file('/proc/sys/vm/overcommit_memory') WHEN E'2\n' THEN 'off' ELSE 'on' END AS overcommit
FROM jemctx_info WHERE name = 'overcommit';
SELECT value = coalesce(substring(
		pg_read_file('/sys/kernel/mm/transparent_hugepage/enabled', 0, 100, true) FROM '\[(\w+)\]'),
	'unsupported') AS transparent_huge_pages
FROM jemctx_info WHERE name = 'transparent_huge_pages';
-- A control group without a limit has none, whatever number its version says that by.
SELECT cgroup_limit IS NULL OR cgroup_limit < 2 ^ 62 AS cgroup_limit FROM jemctx_server;
