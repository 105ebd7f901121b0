/* jemctx_fuzz--1.0.sql */

\echo Use "CREATE EXTENSION jemctx_fuzz" to load this file. \quit

-- Do what the board has for the session with that number.  An ERROR tells what is not as it must be.
CREATE FUNCTION jemctx_fuzz(session int) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- All namespaces are gone: so much of the region can be had in one piece.
CREATE FUNCTION jemctx_fuzz_whole(bytes bigint) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Problems in memory contexts that a checking build finds.
CREATE FUNCTION jemctx_debug_check() RETURNS int AS '$libdir/jemctx' LANGUAGE C STRICT;
