/* jemctx_sharing--1.0.sql */

\echo Use "CREATE EXTENSION jemctx_sharing" to load this file. \quit

CREATE FUNCTION jemctx_sharing_fresh(size_limit bigint DEFAULT 0) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION jemctx_sharing_fresh(bigint) IS
	'makes a new namespace and a new area of dsa for the works of all sessions';

CREATE FUNCTION jemctx_sharing(peer text, work text, process int, processes int, amount int,
	OUT ns float8, OUT busy float8, OUT p99 float8, OUT live bigint)
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION jemctx_sharing(text, text, int, int, int) IS
	'does a process''s part in a work, when all processes are there: nanoseconds of an operation, the same without '
	'pauses, the 99th percentile of one, bytes that are live at its end';

CREATE FUNCTION jemctx_sharing_shmem() RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION jemctx_sharing_shmem() IS
	'bytes of the shared memory mapped by this session that are in memory, says the kernel';
