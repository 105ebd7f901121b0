-- The contexts of jemctx in this backend.
SELECT name, parent, level, lifetime, chunks > 500 AS chunks, allocated > 100000 AS allocated
FROM jemctx_contexts ORDER BY name;
SELECT jemctx_test_keep('persistent', 'ten of them', 10, 1000);
SELECT name, ident, parent, level, lifetime, chunks, allocated >= 10 * 1000 AS allocated, requested
FROM jemctx_contexts WHERE name = 'kept';
SELECT arena = (SELECT arena FROM jemctx_arenas WHERE name = 'persistent') AS arena
FROM jemctx_contexts WHERE name = 'kept';
-- PostgreSQL's own view has the same figures, and the context's own memory.
SELECT b.name, b.ident, b.parent, b.level, b.total_bytes - c.allocated BETWEEN 1 AND 8192 AS total,
	b.total_nblocks - c.chunks AS chunks, b.free_bytes, b.used_bytes = b.total_bytes AS used
FROM pg_backend_memory_contexts b JOIN jemctx_contexts c USING (name) WHERE name = 'kept';
SELECT jemctx_test_reset();
SELECT chunks, allocated FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_drop();
SELECT name FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_keep('transient', repeat('x', 2000), 10, 10000);
SELECT name, length(ident) AS ident, lifetime, chunks, allocated > 10 * 10000 AS allocated
FROM jemctx_contexts WHERE name = 'kept';
SELECT jemctx_test_drop();
