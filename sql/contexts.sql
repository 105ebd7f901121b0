-- The contexts of jemctx in this backend.
SELECT name, parent, level, lifetime, chunks > 500 AS chunks, allocated > 100000 AS allocated
FROM jemctx_contexts ORDER BY name;
SELECT jemctx_test_keep('persistent', 'ten of them', 10, 1000);
SELECT name, ident, parent, level, lifetime, chunks,
	allocated BETWEEN 10 * (1000 + 16) AND 10 * 1500 AS allocated,
	coalesce(requested, 10 * 1000) AS requested	-- known in checking builds
FROM jemctx_contexts WHERE name = 'kept';
-- Each is in the arena of its lifetime.
SELECT c.name FROM jemctx_contexts c LEFT JOIN jemctx_arenas a USING (arena, lifetime) WHERE a.name IS NULL;
-- PostgreSQL's own view knows them all by the same names,
SELECT name, ident, parent, level FROM jemctx_contexts
EXCEPT SELECT name, ident, parent, level FROM jemctx_test_all_contexts();
-- and has the same figures.
SELECT b.total_bytes - c.allocated AS total,
	b.total_nblocks - c.chunks AS chunks, b.free_bytes, b.used_bytes = b.total_bytes AS used
FROM pg_backend_memory_contexts b JOIN jemctx_contexts c USING (name) WHERE name = 'kept';
-- More of them, and another identifier; the context's directory has room for them.
SELECT allocated AS before_allocated FROM jemctx_contexts WHERE name = 'kept' \gset
SELECT jemctx_test_keep('persistent', 'twenty of them', 10, 1000);
SELECT ident, chunks, allocated - :before_allocated BETWEEN 10 * (1000 + 16) AND 10 * 1400 AS allocated
FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_reset();
SELECT ident, chunks, allocated < 512 AS allocated FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_drop();
SELECT name FROM jemctx_contexts WHERE name = 'kept';
SELECT name FROM pg_backend_memory_contexts WHERE name = 'kept';
-- A transient one has blocks, all of which is its own.
SELECT jemctx_test_keep('transient', repeat('x', 2000), 10, 10000);
SELECT name, length(ident) AS ident, parent, level, lifetime, chunks,
	allocated BETWEEN 10 * (10000 + 16) AND 150000 AS allocated,
	coalesce(requested, 10 * 10000) AS requested
FROM jemctx_contexts WHERE name = 'kept';
SELECT c.name FROM jemctx_contexts c LEFT JOIN jemctx_arenas a USING (arena, lifetime) WHERE a.name IS NULL;
SELECT b.ident = c.ident AS ident, b.total_bytes - c.allocated AS total, b.total_nblocks - c.chunks AS blocks,
	b.used_bytes >= 10 * (10000 + 16) AND b.used_bytes + b.free_bytes = b.total_bytes AS used
FROM pg_backend_memory_contexts b JOIN jemctx_contexts c USING (name) WHERE name = 'kept';
SELECT jemctx_test_reset();
SELECT chunks, allocated < 10000 AS allocated FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_drop();
-- A path has the numbers that PostgreSQL's view has from 18 on; before, those that follow from the order of its rows.
SELECT jemctx_test_keep('persistent', 'paths', 0, 0), jemctx_test_keep_below('transient', 2);
-- fills caches, which have contexts
SELECT count(*) FROM jemctx_test_paths() WHERE name IN ('kept', 'below');
SELECT name, ident, level = array_length(path, 1) - 1 AS level, same FROM jemctx_test_paths()
ORDER BY name, ident COLLATE "C";
-- The path of a context is that of its parent, and it; that is how to add up a tree.
SELECT c.ident, count(*) - 1 AS below
FROM jemctx_contexts c JOIN jemctx_contexts b ON b.path[:c.level + 1] = c.path
WHERE c.name IN ('kept', 'below') GROUP BY c.ident ORDER BY c.ident COLLATE "C";
SELECT path[1] AS top, count(DISTINCT path) - count(*) AS twice FROM jemctx_contexts GROUP BY path[1];
SELECT jemctx_test_drop();
SELECT count(*) FROM jemctx_contexts WHERE name IN ('kept', 'below');
-- However many chunks there are, one more costs a share of what they take: the
-- directory counts, and so does its growth, old and new beside each other.
DO $$
DECLARE
	before bigint;
	after bigint;
BEGIN
	PERFORM jemctx_test_keep('persistent', 'many', 1, 16);
	FOR i IN 1 .. 400 LOOP
		SELECT committed_peak INTO before FROM jemctx_backends WHERE pid = pg_backend_pid();
		PERFORM jemctx_test_keep('persistent', 'many', 5000, 16);
		SELECT committed_peak INTO after FROM jemctx_backends WHERE pid = pg_backend_pid();
		IF after > before * 1.5 AND after > before + 4000000 THEN
			RAISE '% chunks more: from % to % bytes', 5000, before, after;
		END IF;
	END LOOP;
END $$;
SELECT chunks, allocated BETWEEN (32 + 8) * chunks AND 100 * chunks AS allocated
FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_drop();
-- An identifier is cut between characters.
SELECT current_database() AS home \gset
CREATE DATABASE regress_jemctx_utf8 ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;
\c regress_jemctx_utf8
SET client_min_messages = warning;
CREATE EXTENSION jemctx;
CREATE EXTENSION jemctx_test;
SELECT jemctx_test_keep('transient', repeat(U&'x\20AC', 1000), 0, 0);
SELECT octet_length(ident) AS bytes, length(ident) AS characters,
	ident = left(repeat(U&'x\20AC', 1000), length(ident)) AS whole
FROM jemctx_contexts WHERE name = 'kept';
\c :home
DROP DATABASE regress_jemctx_utf8;
