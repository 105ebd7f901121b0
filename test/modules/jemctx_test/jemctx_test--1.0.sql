/* jemctx_test--1.0.sql */

\echo Use "CREATE EXTENSION jemctx_test" to load this file. \quit

-- Each raises an ERROR that tells what is not as it must be.
CREATE FUNCTION jemctx_test_sizes(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_realloc(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_flags(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_no_memory(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_torture(lifetime text, seed int, steps int) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_double_free(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_tree(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_create(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_critical(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_users(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_stats(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- The number of the arena that a large chunk comes from.
CREATE FUNCTION jemctx_test_arena(lifetime text) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- One context of this session, called "kept", with so many chunks of that size.
CREATE FUNCTION jemctx_test_keep(lifetime text, ident text, chunks int, bytes int) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_reset() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_drop() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- The example of the README.
CREATE FUNCTION word_count(word text) RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
