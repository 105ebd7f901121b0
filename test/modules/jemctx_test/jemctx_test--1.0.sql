/* jemctx_test--1.0.sql */

\echo Use "CREATE EXTENSION jemctx_test" to load this file. \quit

-- Each raises an ERROR that tells what is not as it must be.

-- Chunks
CREATE FUNCTION jemctx_test_sizes(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_realloc(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_steps(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_double_free(lifetime text, bytes int) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Flags, and no memory
CREATE FUNCTION jemctx_test_huge(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_zero(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_no_memory(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_critical(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

CREATE FUNCTION jemctx_test_torture(lifetime text, seed int, steps int)
	RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Contexts
CREATE FUNCTION jemctx_test_callbacks(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_parents(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_empty(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_create(lifetime text, contexts int) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- What PostgreSQL builds in them
CREATE FUNCTION jemctx_test_list(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_string(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_hash(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_parse_tree(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Figures
CREATE FUNCTION jemctx_test_stats(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- The number of the arena that chunks of all sizes lie in.
CREATE FUNCTION jemctx_test_arena(lifetime text) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- One context of this session, called "kept", with so many more chunks of that size.
CREATE FUNCTION jemctx_test_keep(lifetime text, ident text, chunks int, bytes int)
	RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
-- Contexts below it, in so many levels.
CREATE FUNCTION jemctx_test_keep_below(lifetime text, levels int) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_reset() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_drop() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- A child that this process forks as a library may, with so many bytes; its pid.
CREATE FUNCTION jemctx_test_child(bytes int) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Mistakes that a checking build must find; in others they may crash.
CREATE FUNCTION jemctx_test_overrun(lifetime text, bytes int, past int, "then" text)
	RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_underrun(lifetime text, bytes int, before int, "then" text)
	RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_inside(lifetime text, bytes int, other bool, resize bool)
	RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_stale(lifetime text, bytes int, before text)
	RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_deleted(lifetime text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_read_freed(lifetime text, bytes int) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_read_new(lifetime text, bytes int) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_branch_on_new(lifetime text, bytes int) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_shift(bits int) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Memory that is refused on purpose, in a checking build: how often.
CREATE FUNCTION jemctx_test_refused(lifetime text, most int) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Chunks of several mappings grow with few left: how many did.
CREATE FUNCTION jemctx_test_few_mappings(lifetime text) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Memory that a library takes and keeps, in so many blocks of so many bytes; and while the session cannot end.
CREATE FUNCTION jemctx_test_library(way text, bytes int, blocks int) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_library_held(what text, bytes int, blocks int)
	RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_library_free() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION jemctx_test_openssl_freed() RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION jemctx_test_openssl_tell_at_end() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C;

-- Memory that a limit refuses.
CREATE FUNCTION jemctx_test_cope(bytes bigint) RETURNS bool AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_realloc_zero(refused bigint) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_impossible() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_beyond() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_thread(bytes bigint) RETURNS bool AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_brim() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C;

-- The example of docs/contexts.md.
CREATE FUNCTION word_count(word text) RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Namespaces
CREATE FUNCTION jemctx_test_ns_open(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_sizes(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_zero(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_zero_again(ns text, bytes int, objects int)
	RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_huge(ns text, huge bool) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_no_memory(ns text, bytes bigint) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_mistake(ns text, mistake text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_stale(ns text, what text) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_taken(ns text) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_fill(ns text, size int, bytes bigint)
	RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_drain(ns text, most bigint DEFAULT 1000000000)
	RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_check(ns text) RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL SAFE;
CREATE FUNCTION jemctx_test_ns_realloc(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_shrink(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_build(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_read(ns text) RETURNS text AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL SAFE;
CREATE FUNCTION jemctx_test_ns_extend(ns text, keep bool) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_context_reset(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_generations(ns text, rounds int) RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_create_refused(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_chunk(ns text, bytes int) RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_pfree_refused(chunk bigint) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_flush() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION jemctx_test_dictionary_lock() RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C;
CREATE FUNCTION jemctx_test_ns_shift(ns text) RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_grant(ns text, bytes bigint) RETURNS bool AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_grab(ns text, size bigint, bytes bigint)
	RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_replace(ns text, rounds int) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_wear(rounds int, bytes bigint) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_longest(ns text, bytes bigint, ms int)
	RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_thin(ns text) RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_waver(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_look(ns text, address bigint, times int)
	RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_torture_begin(ns text) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_torture(ns text, seed int, steps int)
	RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_ns_torture_end(ns text) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Sessions and workers that are killed
CREATE FUNCTION jemctx_test_kill_begin(ns text, edition int) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_kill_load(ns text, seed int) RETURNS void AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_kill_check(ns text) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE FUNCTION jemctx_test_kill_worker(ns text, "die" bool) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- A background worker that uses a namespace and runs no transactions
CREATE FUNCTION jemctx_test_ns_worker(ns text) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- A background worker that carries out a statement so many times; means against errors: n(one), t(ransaction),
-- s(ubtransaction)
CREATE FUNCTION jemctx_test_sql_worker(statement text, rounds int, means text)
	RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT;

-- Have statements executed by a parallel worker, "on" or "off": the setting has two names.
CREATE FUNCTION jemctx_test_parallel(value text) RETURNS text LANGUAGE SQL AS
	$$SELECT set_config(name, $1, false) FROM pg_settings
	WHERE name IN ('force_parallel_mode', 'debug_parallel_query')$$;

-- PostgreSQL's own view of contexts, which from 18 on has numbers where it had names, and counts levels from 1.
CREATE FUNCTION jemctx_test_all_contexts() RETURNS TABLE (name text, ident text, parent text, level int)
LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('server_version_num')::int < 180000 THEN
		RETURN QUERY EXECUTE 'SELECT name, ident, parent, level FROM pg_backend_memory_contexts';
	ELSE
		RETURN QUERY EXECUTE 'WITH c AS MATERIALIZED (SELECT * FROM pg_backend_memory_contexts)
			SELECT c.name, c.ident, p.name, c.level - 1 FROM c LEFT JOIN c p ON p.path = c.path[:c.level - 1]';
	END IF;
END $$;

-- The contexts of jemctx, each beside the one that has its path in PostgreSQL's view.  Before 18 that has no path, but
-- rows from top to bottom; in the same statement, since numbers are those of the moment.
CREATE FUNCTION jemctx_test_paths() RETURNS TABLE (name text, ident text, level int, path int[], same bool)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE CASE WHEN current_setting('server_version_num')::int < 180000 THEN '
		WITH RECURSIVE rows AS MATERIALIZED (
			SELECT *, (row_number() OVER (ORDER BY level, place))::int AS number
			FROM pg_get_backend_memory_contexts()
				WITH ORDINALITY AS c (name, ident, parent, level, bytes, blocks, free, chunks, used, place)
		),
		walk AS (
			SELECT name, ident, place, ARRAY[number] AS path FROM rows WHERE level = 0
			UNION ALL
			SELECT r.name, r.ident, r.place, path || number FROM walk w JOIN rows r ON w.place = (
				SELECT max(place) FROM rows a WHERE a.level = r.level - 1 AND a.place < r.place)
		)'
	ELSE 'WITH walk AS MATERIALIZED (SELECT * FROM pg_backend_memory_contexts)' END || '
		SELECT c.name, c.ident, c.level, c.path, (w.name, w.ident) IS NOT DISTINCT FROM (c.name, c.ident)
		FROM jemctx_contexts c LEFT JOIN walk w USING (path)';
END $$;
