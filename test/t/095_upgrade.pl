# An extension that was updated from 1.0 is the one that a new database gets; until the update the
# functions of 1.0 work with the new library.  pg_regress has one database and one version.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jemctx.server_memory_limit = '8GB'\njemctx.backend_memory_limit = '1GB'\n"
	  . "jemctx.namespaces = 'shelf:4MB'\njemctx.profile = on\n");

$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(fresh old);
$node->safe_psql('fresh', 'CREATE EXTENSION jemctx');
$node->safe_psql('old', "CREATE EXTENSION jemctx VERSION '1.0'");
is($node->safe_psql('fresh', "SELECT extversion FROM pg_extension WHERE extname = 'jemctx'"),
	'1.1', 'the version of a new one');

# What was released stays as it is.
chomp(my $sharedir = `pg_config --sharedir`);
is(sha256_hex(slurp_file("$sharedir/extension/jemctx--1.0.sql")),
	'c8e08769ae855ff493adb898695597f8c70ea28ef2c0a3de7df7f7b2bee39e55', 'the script of 1.0 is as it was');

#
# Version 1.0 with this library.  A call of each of its functions, and what it gives; those without an answer
# here are of use to nobody.
#

my %calls = (
	'jemctx_get_info()' => [ "SELECT value FROM jemctx_info WHERE name = 'malloc'", 'jemalloc' ],
	'jemctx_get_arenas()' =>
	  [ "SELECT allocated <= active AND active <= resident FROM jemctx_arenas WHERE name = 'process'", 't' ],
	'jemctx_get_bins()' => [ 'SELECT count(*) > 0, bool_and(curregs >= 0 AND size > 0) FROM jemctx_bins', 't|t' ],
	'jemctx_get_contexts()' => [
		'SELECT name, parent, level, lifetime, chunks > 500, allocated > 100000 FROM jemctx_contexts',
		'CacheMemoryContext|TopMemoryContext|1|persistent|t|t'
	],
	'jemctx_get_chunks()' => [ 'SELECT count(*) > 0, bool_and(runs > 0 AND size > 0) FROM jemctx_chunks', 't|t' ],
	'jemctx_get_backends()' => [
		q(SELECT backend_type, datname, committed > 1e6, committed_peak >= committed, inherited > 1e5, allocated > 1e5,
			active >= allocated, cache > 1e5, memory_limit, refused, purges, purged,
			now() - published_at < '1 hour' AND now() - published_at > '-1 hour'
		  FROM jemctx_backends WHERE pid = pg_backend_pid()),
		'client backend|old|t|t|t|t|t|t|1073741824|0|0|0|t'
	],
	'jemctx_get_server()' => [
		q(SELECT processes > 5, unaccounted < processes, committed > 1e6, namespaces BETWEEN 0 AND committed,
			memory_limit,
			machine_total = 1024 * (regexp_match(pg_read_file('/proc/meminfo'), '^MemTotal: +(\d+) kB'))[1]::bigint,
			machine_available BETWEEN 1e6 AND machine_total, cgroup_limit IS NULL OR cgroup_limit > 1e6
		  FROM jemctx_server),
		't|t|t|t|8589934592|t|t|t'
	],
	'jemctx_stats(text)' => [ 'SELECT length(jemctx_stats()) > 1000', 't' ],
	'jemctx_stats_json()' => [ q(SELECT jemctx_stats_json() ? 'jemalloc'), 't' ],
	'jemctx_purge(integer)' => [ 'SELECT jemctx_purge() >= 0', 't' ],
	'jemctx_purge_all()' => [ 'SELECT jemctx_purge_all() >= 0', 't' ],
	'jemctx_profile_start()' => [ 'SELECT jemctx_profile_start() IS NOT NULL', 't' ],
	'jemctx_profile_stop()' => [ 'SELECT jemctx_profile_stop() IS NOT NULL', 't' ],
	'jemctx_profile_dump()' => [ q(SELECT jemctx_profile_dump() ~ 'heap_v2'), 't' ],
	'jemctx_namespace_create(text,bigint,boolean)' =>
	  [ q(SELECT jemctx_namespace_create('n', 1000000, true)::text), '' ],
	'jemctx_namespace_set_limit(text,bigint)' => [
		q(SELECT jemctx_namespace_create('m')::text || jemctx_namespace_set_limit('m', 3000000)::text
			|| (SELECT size_limit FROM jemctx_get_namespaces() WHERE name = 'm')), '3000000' ],
	'jemctx_namespace_reset(text)' => [ q(SELECT jemctx_namespace_reset('shelf')::text), '' ],
	'jemctx_namespace_drop(text)' =>
	  [ q(SELECT jemctx_namespace_create('l')::text || jemctx_namespace_drop('l')::text), '' ],
	'jemctx_get_namespaces()' => [
		q(SELECT name, size_limit, allocated, objects, has_root, created_at < now() FROM jemctx_namespaces
		  WHERE name = 'shelf'),
		'shelf|4194304|0|0|f|t' ],
);

sub functions_of
{
	my ($database) = @_;

	return split /\n/, $node->safe_psql($database, q(
		SELECT objid::regprocedure FROM pg_depend
		WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx') AND deptype = 'e'
			AND classid = 'pg_proc'::regclass ORDER BY objid::regprocedure::text COLLATE "C"));
}

is(join("\n", functions_of('old')), join("\n", sort keys %calls), 'each function of 1.0 is called');
for my $function (sort keys %calls)
{
	my ($statement, $answer) = @{ $calls{$function} };
	my ($code, $out, $err) = $node->psql('old', $statement);

	is("$code $err$out", "0 $answer", "1.0 with the new library: $function");
}

# A script that is not the library's.
$node->safe_psql('old', q(CREATE FUNCTION mixed(OUT a int, OUT b int) RETURNS SETOF record
	AS '$libdir/jemctx', 'jemctx_get_server_1_1' LANGUAGE C));
my (undef, undef, $mixed) = $node->psql('old', 'SELECT * FROM mixed()');
like( $mixed,
	qr/ERROR:  a function of jemctx is declared with 2 columns, but has 22\nHINT:  Run ALTER EXTENSION jemctx UPDATE/,
	'a declaration of another version: an error that says what to do');
$node->safe_psql('old', 'DROP FUNCTION mixed()');

#
# The update.
#

# Everything that the catalogs say of a database's extension, but for OIDs, and for the option in which newer
# minor releases keep a number of their own.
my $describe = q(
	WITH parts AS (
		SELECT d.classid, d.objid, d.objsubid, d.deptype FROM pg_depend d
		WHERE d.refclassid = 'pg_extension'::regclass
			AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx')
	),
	named AS (
		SELECT *, pg_describe_object(classid, objid, 0) AS name FROM parts
	)
	SELECT line FROM (
	SELECT concat_ws(' ', 'part', name, deptype) AS line FROM named
	UNION ALL SELECT concat_ws(' ', 'extension', to_jsonb(e) - 'oid') FROM pg_extension e WHERE extname = 'jemctx'
	UNION ALL SELECT concat_ws(' ', name, to_jsonb(p) - 'oid' - 'proargdefaults', pg_get_function_arguments(p.oid))
		FROM named JOIN pg_proc p
		ON classid = 'pg_proc'::regclass AND objid = p.oid
	UNION ALL SELECT concat_ws(' ', name, to_jsonb(c) - 'oid' - 'reltype') FROM named JOIN pg_class c
		ON classid = 'pg_class'::regclass AND objid = c.oid
	UNION ALL SELECT concat_ws(' ', name, to_jsonb(a) - 'attrelid' - 'attoptions',
		array(SELECT option FROM unnest(attoptions) option WHERE option NOT LIKE 'pg_attver=%'))
		FROM named JOIN pg_attribute a ON classid = 'pg_class'::regclass AND objid = attrelid
	UNION ALL SELECT concat_ws(' ', name, pg_get_viewdef(objid)) FROM named WHERE classid = 'pg_class'::regclass
	UNION ALL SELECT concat_ws(' ', name, 'rule', to_jsonb(r) - 'oid' - 'ev_class' - 'ev_action')
		FROM named JOIN pg_rewrite r ON classid = 'pg_class'::regclass AND objid = ev_class
	UNION ALL SELECT concat_ws(' ', name, 'comment', d.objsubid, description) FROM named JOIN pg_description d
		ON (classid, objid) = (d.classoid, d.objoid)
	UNION ALL SELECT 'comment ' || description FROM pg_description
		WHERE objoid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx') AND classoid = 'pg_extension'::regclass
	UNION ALL SELECT concat_ws(' ', name, 'at first', i.objsubid, privtype, initprivs) FROM named JOIN pg_init_privs i
		ON (classid, objid) = (i.classoid, i.objoid)
	) lines ORDER BY line COLLATE "C");

# What the lines of two descriptions do not have in common.
sub differences
{
	my (@descriptions) = @_;
	my %count;

	$count{$_}++ for split /\n/, $descriptions[0];
	$count{$_}-- for split /\n/, $descriptions[1];
	return join("\n", map { ($count{$_} > 0 ? '-' : '+') . $_ } grep { $count{$_} } sort keys %count);
}

# A view of the database's own is not lost.
$node->safe_psql('old', 'CREATE VIEW mine AS SELECT committed FROM jemctx_server');
my (undef, undef, $refused) = $node->psql('old', 'ALTER EXTENSION jemctx UPDATE');
like($refused, qr/ERROR:  cannot drop view jemctx_server because other objects depend on it\nDETAIL:  view mine/,
	'a view on what has changed is in the way, and is named');
is($node->safe_psql('old', 'SELECT committed > 0 FROM mine'), 't', 'and works still');
$node->safe_psql('old', 'DROP VIEW mine');

my $fresh = $node->safe_psql('fresh', $describe);
cmp_ok(scalar(() = $fresh =~ /\n/g), '>', 200, 'the description is a long one');
isnt(differences($fresh, $node->safe_psql('old', $describe)), '', 'before the update there are differences');
$node->safe_psql('old', 'ALTER EXTENSION jemctx UPDATE');
is(differences($fresh, $node->safe_psql('old', $describe)), '', 'after it there are none');
is($node->safe_psql('old', 'SELECT pressure, kept >= 0 FROM jemctx_server'), 'none|t', 'and new columns');
is($node->safe_psql('old', 'SELECT kept >= 0 FROM jemctx_backends WHERE pid = pg_backend_pid()'),
	't', 'of processes, too');

# It would find anything: one change of each kind.
for my $change (
	'ALTER FUNCTION jemctx_get_server() STABLE',
	'ALTER FUNCTION jemctx_get_server() PARALLEL SAFE',
	'ALTER FUNCTION jemctx_get_server() ROWS 2',
	'ALTER FUNCTION jemctx_get_server() CALLED ON NULL INPUT',
	'GRANT EXECUTE ON FUNCTION jemctx_get_server() TO PUBLIC',
	'REVOKE SELECT ON jemctx_backends FROM PUBLIC',
	'ALTER VIEW jemctx_server RENAME COLUMN kept TO retained',
	'CREATE OR REPLACE VIEW jemctx_info AS SELECT name, upper(value) AS value FROM jemctx_get_info()',
	'ALTER VIEW jemctx_server SET (security_barrier = true)',
	'ALTER TABLE jemctx_server ALTER COLUMN kept SET DEFAULT 0',
	"COMMENT ON COLUMN jemctx_server.kept IS 'kept'",
	"COMMENT ON FUNCTION jemctx_purge_all() IS 'purges'",
	"COMMENT ON VIEW jemctx_chunks IS NULL",
	"COMMENT ON EXTENSION jemctx IS 'nothing'",
	'ALTER EXTENSION jemctx DROP FUNCTION jemctx_stats(text)',
	'CREATE FUNCTION more() RETURNS int LANGUAGE sql RETURN 1; ALTER EXTENSION jemctx ADD FUNCTION more()',
	"UPDATE pg_proc SET prosrc = 'jemctx_get_server' WHERE proname = 'jemctx_get_server'",
	"UPDATE pg_init_privs SET privtype = 'i' WHERE objoid = 'jemctx_get_server()'::regprocedure")
{
	my $changed = $node->safe_psql('old', "BEGIN; $change; $describe; ROLLBACK");

	isnt(differences($fresh, $changed), '', "would find: $change");
}

# And back to 1.0 there is no way, but to drop it.
my (undef, undef, $back) = $node->psql('old', "ALTER EXTENSION jemctx UPDATE TO '1.0'");
like($back, qr/ERROR:  extension "jemctx" has no update path from version "1\.1" to version "1\.0"/, 'no way back');

unlike(slurp_file($node->logfile), qr/was terminated by signal|PANIC/, 'nothing has crashed');
$node->stop;

done_testing();
