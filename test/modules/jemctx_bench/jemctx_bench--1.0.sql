/* jemctx_bench--1.0.sql */

\echo Use "CREATE EXTENSION jemctx_bench" to load this file. \quit

CREATE FUNCTION jemctx_bench(context text, work text, divisor int DEFAULT 1,
	OUT ns float8, OUT live bigint, OUT resident bigint, OUT after_free bigint)
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION jemctx_bench(text, text, int) IS
	'does a work on a context of that kind, or so many times less of it: nanoseconds of an operation; '
	'live and resident bytes at its end, resident bytes after freeing 90 % and a purge '
	'(0 where the work does not measure it)';

CREATE FUNCTION jemctx_bench_costs(OUT page_fault float8, OUT system_call float8, OUT malloc_64 float8)
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION jemctx_bench_costs() IS
	'what this machine takes, in nanoseconds: for the first touch of a page, for a system call, '
	'for malloc(64) and free() with the allocator of the process';
