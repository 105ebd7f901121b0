-- What is installed is what this package says, and works.
CREATE EXTENSION jemctx VERSION '1.0';
ALTER EXTENSION jemctx UPDATE;
DROP EXTENSION jemctx;
CREATE EXTENSION jemctx;

CREATE FUNCTION pg_temp.expect(what text, got text, expected text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF got IS DISTINCT FROM expected THEN
		RAISE '%: found %, expected %', what, got, expected;
	END IF;
	RETURN concat_ws(': ', what, got);
END $$;

SELECT pg_temp.expect('version', extversion, '1.1') FROM pg_extension WHERE extname = 'jemctx';
SELECT pg_temp.expect(name, value, expected)
FROM (VALUES ('malloc', 'jemalloc'), ('origin', 're-executed')) AS e (name, expected)
LEFT JOIN jemctx_info USING (name);
SELECT pg_temp.expect('jemalloc', substring(value FROM '^5\.[3-9]'), substring(value FROM '^\d+\.\d'))
FROM jemctx_info WHERE name = 'jemalloc_version';
SELECT pg_temp.expect('arenas', string_agg(name, ', ' ORDER BY name), 'persistent, process')
FROM jemctx_arenas WHERE name <> 'transient';
SELECT pg_temp.expect('contexts', string_agg(name, ', '), 'CacheMemoryContext') FROM jemctx_contexts;
SELECT jemctx_namespace_create('installed');
SELECT pg_temp.expect('namespaces', string_agg(name, ', '), 'installed') FROM jemctx_namespaces;
SELECT pg_temp.expect('purge', (jemctx_purge() >= 0)::text, 'true');
