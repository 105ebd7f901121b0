/* jemctx--1.0--1.1.sql */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION jemctx UPDATE TO '1.1'" to load this file. \quit

-- What has other columns is made anew: views of others on these stand in the way.

DROP VIEW jemctx_contexts;
DROP FUNCTION jemctx_get_contexts();
DROP VIEW jemctx_backends;
DROP FUNCTION jemctx_get_backends();
DROP VIEW jemctx_server;
DROP FUNCTION jemctx_get_server();

CREATE FUNCTION jemctx_get_contexts(
	OUT name text, OUT ident text, OUT parent text, OUT level int, OUT lifetime text,
	OUT arena int, OUT chunks bigint, OUT allocated bigint, OUT requested bigint, OUT path int[])
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'jemctx_get_contexts_1_1'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION jemctx_get_contexts() IS 'the memory contexts of jemctx in this backend';

CREATE VIEW jemctx_contexts AS SELECT * FROM jemctx_get_contexts();
COMMENT ON VIEW jemctx_contexts IS 'the memory contexts of jemctx in this backend';
COMMENT ON COLUMN jemctx_contexts.name IS 'name of the context';
COMMENT ON COLUMN jemctx_contexts.ident IS 'what else identifies it, such as a query''s text';
COMMENT ON COLUMN jemctx_contexts.parent IS 'name of the context that it is below';
COMMENT ON COLUMN jemctx_contexts.level IS 'distance from TopMemoryContext';
COMMENT ON COLUMN jemctx_contexts.lifetime IS 'persistent or transient';
COMMENT ON COLUMN jemctx_contexts.arena IS 'the arena of its chunks, NULL if it does not exist yet';
COMMENT ON COLUMN jemctx_contexts.chunks IS 'chunks allocated (persistent) or blocks held (transient)';
COMMENT ON COLUMN jemctx_contexts.allocated IS 'bytes held, headers and rounding included';
COMMENT ON COLUMN jemctx_contexts.requested IS 'bytes asked for, where they are known: in checking builds';
COMMENT ON COLUMN jemctx_contexts.path IS
	'numbers of the contexts from TopMemoryContext to this one, which they have for this call, as in '
	'pg_backend_memory_contexts from PostgreSQL 18 on';

CREATE FUNCTION jemctx_get_backends(
	OUT pid int, OUT committed bigint, OUT committed_peak bigint, OUT inherited bigint, OUT refused bigint,
	OUT kept bigint, OUT purges bigint, OUT purged bigint, OUT allocated bigint, OUT active bigint, OUT cache bigint,
	OUT memory_limit bigint, OUT published_at timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'jemctx_get_backends_1_1'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION jemctx_get_backends() IS
	'the memory of each process: the own one, of all for members of pg_read_all_stats';

CREATE VIEW jemctx_backends AS
SELECT b.pid,
	-- those without a database are not among the activities
	CASE WHEN a.pid IS NULL THEN 'background worker' ELSE a.backend_type END AS backend_type,
	d.datname, u.rolname AS usename,
	b.committed, b.committed_peak, b.kept, b.inherited, b.allocated, b.active, b.cache,
	b.memory_limit, b.refused, b.purges, b.purged, b.published_at
FROM jemctx_get_backends() b
LEFT JOIN pg_stat_get_activity(NULL) a ON a.pid = b.pid
LEFT JOIN pg_database d ON d.oid = a.datid
LEFT JOIN pg_authid u ON u.oid = a.usesysid;
COMMENT ON VIEW jemctx_backends IS
	'the memory of each process: of the own one, of all for members of pg_read_all_stats';
COMMENT ON COLUMN jemctx_backends.pid IS 'process id';
COMMENT ON COLUMN jemctx_backends.backend_type IS 'kind of process, as in pg_stat_activity';
COMMENT ON COLUMN jemctx_backends.datname IS 'database that it is connected to, NULL if none';
COMMENT ON COLUMN jemctx_backends.usename IS 'role that is logged in, NULL if none';
COMMENT ON COLUMN jemctx_backends.committed IS 'bytes that may be resident, now: active and free pages of all arenas';
COMMENT ON COLUMN jemctx_backends.committed_peak IS 'the most that committed has been';
COMMENT ON COLUMN jemctx_backends.kept IS
	'bytes of free pages that the process keeps for its next statements, as of the end of its last one';
COMMENT ON COLUMN jemctx_backends.inherited IS
	'what of committed was the postmaster''s when the process began, and is shared with it until it is written';
COMMENT ON COLUMN jemctx_backends.allocated IS 'bytes in objects that the process has not freed, as of published_at';
COMMENT ON COLUMN jemctx_backends.active IS 'bytes in pages with at least one such object, as of published_at';
COMMENT ON COLUMN jemctx_backends.cache IS
	'bytes in the context of the catalog caches and those below it, as of published_at';
COMMENT ON COLUMN jemctx_backends.memory_limit IS
	'jemctx.backend_memory_limit of the process in bytes, NULL for none, as of published_at';
COMMENT ON COLUMN jemctx_backends.refused IS 'allocations denied because of a limit';
COMMENT ON COLUMN jemctx_backends.purges IS 'times that the process has returned its unused memory to the system';
COMMENT ON COLUMN jemctx_backends.purged IS 'bytes that it has returned to the system by them';
COMMENT ON COLUMN jemctx_backends.published_at IS
	'when the process last told the figures that are not live, NULL if it never has';

CREATE FUNCTION jemctx_get_server(
	OUT processes int, OUT unaccounted int, OUT committed bigint, OUT namespaces bigint, OUT kept bigint,
	OUT kept_limit bigint, OUT memory_limit bigint, OUT limit_source text, OUT reserved bigint,
	OUT machine_total bigint, OUT machine_available bigint, OUT cgroup_limit bigint, OUT available bigint,
	OUT pressure text, OUT pressure_since timestamptz, OUT pressure_begun bigint, OUT pressure_high bigint,
	OUT pressure_purges bigint, OUT pressure_sheds bigint, OUT pressure_trims bigint, OUT refused bigint,
	OUT dynamic_shared_memory bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'jemctx_get_server_1_1'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 1;
COMMENT ON FUNCTION jemctx_get_server() IS 'the memory of the whole server, and what there is';

CREATE VIEW jemctx_server AS SELECT * FROM jemctx_get_server();
COMMENT ON VIEW jemctx_server IS 'the memory of the whole server beside the machine''s, in bytes';
COMMENT ON COLUMN jemctx_server.processes IS 'processes that have a PGPROC';
COMMENT ON COLUMN jemctx_server.unaccounted IS 'those of them that have not taken any memory of their own yet';
COMMENT ON COLUMN jemctx_server.committed IS
	'bytes of all processes and namespaces that may be resident; what processes share with the postmaster counts once';
COMMENT ON COLUMN jemctx_server.namespaces IS 'bytes of namespaces, part of committed';
COMMENT ON COLUMN jemctx_server.kept IS
	'bytes of free pages that processes keep for their next statements, part of committed';
COMMENT ON COLUMN jemctx_server.kept_limit IS 'jemctx.kept_memory_limit in bytes, or what it comes to by itself';
COMMENT ON COLUMN jemctx_server.memory_limit IS
	'bytes that there are for all: jemctx.server_memory_limit, or what the machine or control group has; NULL for none';
COMMENT ON COLUMN jemctx_server.limit_source IS
	'setting: it is one to committed; machine or control group: to what is in use there';
COMMENT ON COLUMN jemctx_server.reserved IS
	'bytes of the limit for superusers and members of pg_monitor and pg_signal_backend only';
COMMENT ON COLUMN jemctx_server.machine_total IS 'the machine''s memory';
COMMENT ON COLUMN jemctx_server.machine_available IS 'what of it the kernel could give without swapping';
COMMENT ON COLUMN jemctx_server.cgroup_limit IS 'what the control group of the server may have, NULL for no limit';
COMMENT ON COLUMN jemctx_server.available IS
	'bytes that the machine and the control groups have left without swapping, with pages of files that can be dropped';
COMMENT ON COLUMN jemctx_server.pressure IS
	'none; some: nothing is kept that is not in use; high: nor catalog caches of idle backends';
COMMENT ON COLUMN jemctx_server.pressure_since IS 'when the pressure became what it is';
COMMENT ON COLUMN jemctx_server.pressure_begun IS 'times that there was pressure after there was none';
COMMENT ON COLUMN jemctx_server.pressure_high IS 'times that it became high';
COMMENT ON COLUMN jemctx_server.pressure_purges IS 'purges of processes under pressure';
COMMENT ON COLUMN jemctx_server.pressure_sheds IS
	'times that an idle backend dropped its catalog caches at high pressure';
COMMENT ON COLUMN jemctx_server.pressure_trims IS 'times that stocks of namespaces shrank at high pressure';
COMMENT ON COLUMN jemctx_server.refused IS 'allocations denied because of the server''s limit';
COMMENT ON COLUMN jemctx_server.dynamic_shared_memory IS
	'bytes that parallel queries and others share in segments of their own: no part of committed, and not limited';

-- And may be read by the same roles.

GRANT SELECT ON jemctx_contexts, jemctx_backends TO PUBLIC;
REVOKE EXECUTE ON FUNCTION jemctx_get_server() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION jemctx_get_server() TO pg_read_all_stats;
GRANT SELECT ON jemctx_server TO pg_read_all_stats;
