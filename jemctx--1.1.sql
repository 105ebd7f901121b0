/* jemctx--1.1.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION jemctx" to load this file. \quit

-- What the server runs on

CREATE FUNCTION jemctx_get_info(OUT name text, OUT value text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jemctx_get_info() IS 'what this server runs on';

CREATE VIEW jemctx_info AS SELECT * FROM jemctx_get_info();
COMMENT ON VIEW jemctx_info IS 'what this server runs on: jemalloc, its origin, and the machine''s memory settings';
COMMENT ON COLUMN jemctx_info.name IS 'what is told';
COMMENT ON COLUMN jemctx_info.value IS
	'the fact, sizes in bytes; NULL if it does not exist here, or is for those who may read all statistics';

-- The arenas of the own backend

CREATE FUNCTION jemctx_get_arenas(
	OUT arena int, OUT name text, OUT lifetime text,
	OUT allocated bigint, OUT active bigint, OUT dirty bigint, OUT muzzy bigint,
	OUT retained bigint, OUT mapped bigint, OUT resident bigint, OUT metadata bigint,
	OUT committed bigint, OUT nmalloc bigint, OUT ndalloc bigint, OUT fragmentation float8)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 4;
COMMENT ON FUNCTION jemctx_get_arenas() IS 'the jemalloc arenas of this backend';

CREATE VIEW jemctx_arenas AS SELECT * FROM jemctx_get_arenas();
COMMENT ON VIEW jemctx_arenas IS 'the jemalloc arenas of this backend, sizes in bytes';
COMMENT ON COLUMN jemctx_arenas.arena IS 'jemalloc''s number of the arena';
COMMENT ON COLUMN jemctx_arenas.name IS 'what jemctx uses it for';
COMMENT ON COLUMN jemctx_arenas.lifetime IS
	'how long its data lives: process (malloc''s), persistent (the session) or transient (a statement)';
COMMENT ON COLUMN jemctx_arenas.allocated IS
	'bytes in objects that the program has not freed, and in jemalloc''s caches of them';
COMMENT ON COLUMN jemctx_arenas.active IS 'bytes in pages with at least one such object';
COMMENT ON COLUMN jemctx_arenas.dirty IS 'bytes in pages that are free and kept for reuse';
COMMENT ON COLUMN jemctx_arenas.muzzy IS 'bytes in pages that are free and that the kernel may take';
COMMENT ON COLUMN jemctx_arenas.retained IS 'address space without memory, kept for reuse';
COMMENT ON COLUMN jemctx_arenas.mapped IS 'address space of active pages and metadata';
COMMENT ON COLUMN jemctx_arenas.resident IS
	'most bytes that can be physically resident: metadata, active and dirty pages';
COMMENT ON COLUMN jemctx_arenas.metadata IS 'bytes of jemalloc''s own data';
COMMENT ON COLUMN jemctx_arenas.committed IS
	'active and dirty bytes as our extent hooks count them, right at any time; NULL for an arena that is not ours';
COMMENT ON COLUMN jemctx_arenas.nmalloc IS 'allocations so far, the postmaster''s before the fork included';
COMMENT ON COLUMN jemctx_arenas.ndalloc IS 'deallocations so far, the postmaster''s before the fork included';
COMMENT ON COLUMN jemctx_arenas.fragmentation IS
	'share of active pages without allocated objects: 1 - allocated / active';

CREATE FUNCTION jemctx_get_bins(
	OUT arena int, OUT size bigint, OUT curregs bigint, OUT curslabs bigint,
	OUT nonfull_slabs bigint, OUT utilization float8, OUT waste bigint, OUT namespace text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 50;
COMMENT ON FUNCTION jemctx_get_bins() IS 'the size classes in use in the jemalloc arenas of this backend';

CREATE VIEW jemctx_bins AS SELECT * FROM jemctx_get_bins();
COMMENT ON VIEW jemctx_bins IS 'the size classes in use in the jemalloc arenas of this backend, and of namespaces';
COMMENT ON COLUMN jemctx_bins.namespace IS
	'the namespace whose size class it is, NULL for this backend''s own; for those who may read all statistics';
COMMENT ON COLUMN jemctx_bins.arena IS 'the arena of this backend, NULL for a namespace';
COMMENT ON COLUMN jemctx_bins.size IS 'bytes of an object of the class';
COMMENT ON COLUMN jemctx_bins.curregs IS 'objects allocated';
COMMENT ON COLUMN jemctx_bins.curslabs IS
	'slabs that hold them, NULL for large classes, whose objects have pages for themselves';
COMMENT ON COLUMN jemctx_bins.nonfull_slabs IS 'slabs that have room for more';
COMMENT ON COLUMN jemctx_bins.utilization IS 'share of the slabs'' places that are taken';
COMMENT ON COLUMN jemctx_bins.waste IS 'bytes of the slabs that hold no object';

-- The contexts of the own backend

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

CREATE FUNCTION jemctx_get_chunks(
	OUT size bigint, OUT chunks bigint, OUT runs bigint, OUT utilization float8, OUT waste bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 40;
COMMENT ON FUNCTION jemctx_get_chunks() IS
	'the size classes of small chunks in the persistent contexts of this backend';

CREATE VIEW jemctx_chunks AS SELECT * FROM jemctx_get_chunks();
COMMENT ON VIEW jemctx_chunks IS 'the size classes of small chunks in the persistent contexts of this backend';
COMMENT ON COLUMN jemctx_chunks.size IS 'bytes of a chunk, its header included';
COMMENT ON COLUMN jemctx_chunks.chunks IS 'chunks allocated';
COMMENT ON COLUMN jemctx_chunks.runs IS 'slabs that hold them, objects of the persistent arena';
COMMENT ON COLUMN jemctx_chunks.utilization IS 'share of the slabs'' places that are taken';
COMMENT ON COLUMN jemctx_chunks.waste IS 'bytes of the slabs that hold no chunk';

-- All processes of the server

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

-- jemalloc's own report

CREATE FUNCTION jemctx_stats(opts text DEFAULT '')
RETURNS text
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION jemctx_stats(text) IS
	'jemalloc''s report on this process; opts as in malloc_stats_print() of jemalloc(3)';

CREATE FUNCTION jemctx_stats_json()
RETURNS jsonb
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION jemctx_stats_json() IS 'jemalloc''s report on this process as JSON';

-- Acting

CREATE FUNCTION jemctx_purge(pid int DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION jemctx_purge(int) IS
	'returns unused memory of this backend, or of another one that the caller may signal, to the system; how many '
	'bytes, NULL if the other one is busy and will do it later';

CREATE FUNCTION jemctx_purge_all()
RETURNS bigint
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION jemctx_purge_all() IS
	'returns unused memory of all idle backends that the caller may signal, and of namespaces, to the system; how '
	'many bytes';

CREATE FUNCTION jemctx_profile_start()
RETURNS void
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION jemctx_profile_start() IS 'starts sampling allocations of this backend (needs jemctx.profile)';

CREATE FUNCTION jemctx_profile_stop()
RETURNS void
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION jemctx_profile_stop() IS 'stops sampling allocations of this backend';

CREATE FUNCTION jemctx_profile_dump()
RETURNS text
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION jemctx_profile_dump() IS 'the heap profile of this backend, a text that jeprof reads';

-- Namespaces

CREATE FUNCTION jemctx_namespace_create(name text, size_limit bigint DEFAULT 0, if_not_exists boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'jemctx_sql_namespace_create'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION jemctx_namespace_create(text, bigint, boolean) IS
	'makes a namespace, with a limit in bytes if it is not 0, unless there is one and that will do';

CREATE FUNCTION jemctx_namespace_drop(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'jemctx_sql_namespace_drop'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION jemctx_namespace_drop(text) IS 'drops a namespace and all that is in it';

CREATE FUNCTION jemctx_namespace_reset(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'jemctx_sql_namespace_reset'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION jemctx_namespace_reset(text) IS 'frees all that is in a namespace';

CREATE FUNCTION jemctx_namespace_set_limit(name text, size_limit bigint)
RETURNS void
AS 'MODULE_PATHNAME', 'jemctx_sql_namespace_set_limit'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION jemctx_namespace_set_limit(text, bigint) IS 'sets the limit of a namespace in bytes, 0 for none';

CREATE FUNCTION jemctx_get_namespaces(
	OUT name text, OUT size_limit bigint, OUT allocated bigint, OUT cached bigint, OUT free bigint,
	OUT committed bigint, OUT active bigint, OUT resident bigint, OUT mapped bigint, OUT objects bigint,
	OUT refused bigint, OUT fills bigint, OUT flushes bigint, OUT has_root bool, OUT created_at timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION jemctx_get_namespaces() IS 'the namespaces of this server';

CREATE VIEW jemctx_namespaces AS SELECT * FROM jemctx_get_namespaces();
COMMENT ON VIEW jemctx_namespaces IS 'the namespaces of this server, sizes in bytes';
COMMENT ON COLUMN jemctx_namespaces.name IS 'name of the namespace';
COMMENT ON COLUMN jemctx_namespaces.size_limit IS 'most bytes that it may commit, 0 for none';
COMMENT ON COLUMN jemctx_namespaces.allocated IS 'bytes of objects in use';
COMMENT ON COLUMN jemctx_namespaces.cached IS 'bytes of free objects that processes keep for themselves';
COMMENT ON COLUMN jemctx_namespaces.free IS
	'bytes of committed pages without such objects: allocated + cached + free = committed';
COMMENT ON COLUMN jemctx_namespaces.committed IS 'bytes that may be in physical memory';
COMMENT ON COLUMN jemctx_namespaces.active IS 'bytes of pages that have objects, or places for them';
COMMENT ON COLUMN jemctx_namespaces.resident IS 'bytes that are in physical memory, as the kernel says';
COMMENT ON COLUMN jemctx_namespaces.mapped IS
	'bytes of the region''s address space that it has: those of its committed pages';
COMMENT ON COLUMN jemctx_namespaces.objects IS 'objects in use';
COMMENT ON COLUMN jemctx_namespaces.refused IS 'allocations that failed';
COMMENT ON COLUMN jemctx_namespaces.fills IS 'times that a process took objects from the depot';
COMMENT ON COLUMN jemctx_namespaces.flushes IS 'times that a process returned objects to the depot';
COMMENT ON COLUMN jemctx_namespaces.has_root IS 'whether its root pointer is set';
COMMENT ON COLUMN jemctx_namespaces.created_at IS 'when it was made';

-- Namespaces are the whole server's: to be looked at by who may read all
-- statistics, to be made and dropped by superusers.

REVOKE EXECUTE ON FUNCTION jemctx_namespace_create(text, bigint, boolean) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION jemctx_namespace_drop(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION jemctx_namespace_reset(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION jemctx_namespace_set_limit(text, bigint) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION jemctx_get_namespaces() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION jemctx_get_namespaces() TO pg_read_all_stats;
GRANT SELECT ON jemctx_namespaces TO pg_read_all_stats;

-- Reading one's own backend is for everyone, the whole server for monitoring; a
-- heap profile shows where the server's code lies in memory.

GRANT SELECT ON jemctx_info, jemctx_arenas, jemctx_bins, jemctx_contexts, jemctx_chunks, jemctx_backends TO PUBLIC;
REVOKE EXECUTE ON FUNCTION jemctx_get_server() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION jemctx_get_server() TO pg_read_all_stats;
GRANT SELECT ON jemctx_server TO pg_read_all_stats;
REVOKE EXECUTE ON FUNCTION jemctx_profile_start() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION jemctx_profile_stop() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION jemctx_profile_dump() FROM PUBLIC;
