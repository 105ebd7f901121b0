-- The memory of several servers in one view. In a database of one of them, or of another server, as superuser:
--
--   psql -d postgres -f jemctx_fleet.sql
--   SELECT jemctx_fleet.add_node('db1', host => '10.0.0.1', username => 'monitor', password => '...');
--   SELECT node, error, committed, available, pressure FROM jemctx_fleet.servers;
--   SELECT jemctx_fleet.remove_node('db1');
--
-- The role of a node is a member of pg_monitor there.  The view is for members of pg_monitor here.
--
-- A node is a foreign server of postgres_fdw, so that there can be foreign tables on it, too.  The view asks nodes by
-- dblink: a transaction commits with all that it has read by postgres_fdw, and would fail with a node that goes away
-- before.

\set ON_ERROR_STOP on
BEGIN;
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE EXTENSION IF NOT EXISTS dblink;
SELECT string_agg(quote_ident(nspname), ', ') AS extensions
FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
WHERE extname IN ('postgres_fdw', 'dblink') \gset
SET LOCAL search_path = pg_catalog, :extensions;

CREATE SCHEMA jemctx_fleet;
COMMENT ON SCHEMA jemctx_fleet IS 'the memory of several servers with jemctx';

-- Its servers are the nodes.
CREATE FOREIGN DATA WRAPPER jemctx_fleet HANDLER postgres_fdw_handler VALIDATOR postgres_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER jemctx_fleet IS 'postgres_fdw, for nodes of jemctx_fleet.servers';

-- What a node's version does not have is null.
CREATE TYPE jemctx_fleet.server AS (
	processes int, committed bigint, namespaces bigint, kept bigint, kept_limit bigint,
	memory_limit bigint, limit_source text, reserved bigint, machine_total bigint, machine_available bigint,
	cgroup_limit bigint, available bigint, pressure text, pressure_since timestamptz, refused bigint,
	dynamic_shared_memory bigint);
COMMENT ON TYPE jemctx_fleet.server IS 'what is read of each node: columns of its jemctx_server';

-- Who does not connect, holds a lock, or is silent, is not waited for.
CREATE FUNCTION jemctx_fleet.add_node(node text, host text, username text, port int DEFAULT 5432,
	dbname text DEFAULT 'postgres', password text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER jemctx_fleet OPTIONS (host %L, port %L, dbname %L, '
		'connect_timeout ''2'', options ''-c lock_timeout=2s'', '
		'keepalives_idle ''2'', keepalives_interval ''1'', tcp_user_timeout ''2000'')', node, host, port, dbname);
	EXECUTE format('CREATE USER MAPPING FOR PUBLIC SERVER %I OPTIONS (user %L)', node, username);
	IF password IS NOT NULL THEN
		EXECUTE format('ALTER USER MAPPING FOR PUBLIC SERVER %I OPTIONS (ADD password %L)', node, password);
	END IF;
END $$;
COMMENT ON FUNCTION jemctx_fleet.add_node IS
	'adds the server that has jemctx in that database; it can have more options by ALTER SERVER';

CREATE FUNCTION jemctx_fleet.remove_node(node text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
BEGIN
	PERFORM FROM pg_foreign_server JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw
	WHERE fdwname = 'jemctx_fleet' AND srvname = node;
	IF NOT FOUND THEN
		RAISE 'there is no node "%"', node USING ERRCODE = 'undefined_object';
	END IF;
	EXECUTE format('DROP SERVER %I CASCADE', node);
END $$;
COMMENT ON FUNCTION jemctx_fleet.remove_node IS 'removes a node, and foreign tables on it';

-- Who looks has no part in the connections, which are the owner's.
CREATE FUNCTION jemctx_fleet.read_nodes(OUT node text, OUT error text, OUT server jemctx_fleet.server)
RETURNS SETOF record
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, :extensions, pg_temp
AS $$
DECLARE
	detail text;
BEGIN
	FOR node IN
		SELECT srvname FROM pg_foreign_server JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw
		WHERE fdwname = 'jemctx_fleet' ORDER BY srvname
	LOOP
		BEGIN
			error := NULL;
			SELECT * INTO server
			FROM jsonb_populate_record(NULL::jemctx_fleet.server,
				(SELECT row FROM dblink(node, 'SELECT to_jsonb(s) FROM jemctx_server s') AS answer (row jsonb)));
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS error = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
			error := concat_ws(': ', error, nullif(split_part(detail, E'\n', 1), ''));
			server := NULL;
		END;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION jemctx_fleet.read_nodes IS 'what each node says, or what is wrong with it';

CREATE VIEW jemctx_fleet.servers AS
SELECT node, error, (server).* FROM jemctx_fleet.read_nodes();
COMMENT ON VIEW jemctx_fleet.servers IS 'a row of each node: its jemctx_server, or the error instead';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA jemctx_fleet FROM PUBLIC;
GRANT USAGE ON SCHEMA jemctx_fleet TO pg_read_all_stats;
GRANT EXECUTE ON FUNCTION jemctx_fleet.read_nodes TO pg_read_all_stats;
GRANT SELECT ON jemctx_fleet.servers TO pg_read_all_stats;
COMMIT;
