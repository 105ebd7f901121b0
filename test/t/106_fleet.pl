# One view of several servers: nodes come and go, and one that is down, silent, locked or without jemctx has an error
# in its row, and the others their figures.
use strict;
use warnings;

use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my ($first, $second, $third) = map { new_node($_) } qw(first second third);
my $look = q(SELECT node || ':' || coalesce(error, 'committed ' || sign(committed) || ', limit ' || memory_limit)
	FROM jemctx_fleet.servers);

sub add_node
{
	my ($name, $host, $port, $dbname) = @_;

	$first->safe_psql('postgres', "SELECT jemctx_fleet.add_node('$name', host => '$host', username => 'monitor',
		port => $port, dbname => '$dbname')");
	return;
}

# What the view says to a member of pg_monitor.
sub look
{
	return $first->safe_psql('postgres', "SET ROLE monitor; $look");
}

my $megabytes = 1000;
for my $node ($first, $second, $third)
{
	$node->append_conf('postgresql.conf', 'jemctx.server_memory_limit = ' . $megabytes++ . 'MB');
	$node->start;
	$node->safe_psql('postgres', 'CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE ROLE clerk');
}
my ($one, $two, $three) = map { 'committed 1, limit ' . ($_ << 20) } 1000 .. 1002;

# psql ends with an error when a statement has one
my @install = ('psql', '-XAtq', '-d', $first->connstr('postgres'), '-f', "$ENV{TESTDIR}/monitoring/jemctx_fleet.sql");
command_ok([@install], 'jemctx_fleet.sql');
is(look(), '', 'no nodes');

add_node('a', $first->host, $first->port, 'postgres');
add_node('b', $second->host, $second->port, 'postgres');
add_node('c', $third->host, $third->port, 'postgres');
is(look(), "a:$one\nb:$two\nc:$three", 'three nodes');
is( $first->safe_psql('postgres', q(SELECT kept_limit, reserved, machine_total, limit_source, pressure
		FROM jemctx_fleet.servers WHERE node = 'b')),
	$second->safe_psql('postgres', 'SELECT kept_limit, reserved, machine_total, limit_source, pressure
		FROM jemctx_server'),
	'a row is what the node says');

my $columns = $first->safe_psql('postgres', q(
	SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = 'jemctx_fleet.server'::regclass
	AND attname NOT IN (SELECT attname FROM pg_attribute WHERE attrelid = 'jemctx_server'::regclass)));
is($columns, '', 'all columns are of jemctx_server');

# Down, and back again.
$third->stop;
like(look(), qr/\Aa:\Q$one\E\nb:\Q$two\E\nc:could not establish connection: [^\n]*\Z/, 'one is down');
$second->stop;
like(look(), qr/\Aa:\Q$one\E\nb:could not [^\n]*\nc:could not [^\n]*\Z/, 'two are down');
$second->start;
$third->start;
is(look(), "a:$one\nb:$two\nc:$three", 'both are back');

# One that is locked.
my $locker = session($third);
query($locker, 'BEGIN; LOCK TABLE jemctx_server');
is(look(), "a:$one\nb:$two\nc:canceling statement due to lock timeout", 'one is locked');

# One that has been read goes away before the look is over, which waits for the next.
my $looker = session($first);
query($looker, q(ALTER SERVER c OPTIONS (SET options '-c lock_timeout=0')));
send_query($looker, $look);
ok( poll(sub { $third->safe_psql('postgres', 'SELECT count(*) FROM pg_locks WHERE NOT granted') == 1 }),
	'a look waits');
$second->stop('immediate');
query($locker, 'COMMIT');
is(answer($looker), "a:$one\nb:$two\nc:$three", 'and one that it has read goes away');
close_session($_) for $locker, $looker;
$second->start;

# One that takes connections and is silent; from 16 on libpq in a server does not look at connect_timeout.
SKIP:
{
	skip 'connect_timeout is not looked at', 1 if server_major() >= 16;
	my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1');

	add_node('d', '127.0.0.1', $silent->sockport, 'postgres');
	like(look(), qr/\Aa:\Q$one\E\nb:\Q$two\E\nc:\Q$three\E\nd:could not [^\n]*timeout expired\Z/, 'one is silent');
	$first->safe_psql('postgres', q(SELECT jemctx_fleet.remove_node('d')));
}

# Without jemctx, and with that of another version, which has fewer columns.
$third->safe_psql('postgres', q(CREATE DATABASE bare; CREATE DATABASE old));
$third->safe_psql('old', q(CREATE EXTENSION jemctx VERSION '1.0'));
add_node('bare', $third->host, $third->port, 'bare');
add_node('old', $third->host, $third->port, 'old');
is(look(), qq(a:$one\nb:$two\nbare:relation "jemctx_server" does not exist\nc:$three\nold:$three), 'other nodes');
is($first->safe_psql('postgres', q(SELECT pressure IS NULL, memory_limit FROM jemctx_fleet.servers WHERE node = 'old')),
	't|' . (1002 << 20), 'what 1.0 does not have is null');

# Nodes go, and only nodes.
$first->safe_psql('postgres', "SELECT jemctx_fleet.remove_node('$_')") for qw(bare old b);
is(look(), "a:$one\nc:$three", 'nodes are removed');
$first->safe_psql('postgres', 'CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw');
for my $name (qw(b other))
{
	my (undef, undef, $error) = $first->psql('postgres', "SELECT jemctx_fleet.remove_node('$name')");
	like($error, qr/ERROR:  there is no node "$name"/, "$name is none");
}

# Foreign tables on a node go with it.
$first->safe_psql('postgres', 'IMPORT FOREIGN SCHEMA public LIMIT TO (jemctx_backends)
	FROM SERVER c INTO jemctx_fleet');
cmp_ok($first->safe_psql('postgres', 'SELECT count(*) FROM jemctx_fleet.jemctx_backends'), '>', 3, 'a foreign table');
$first->safe_psql('postgres', q(SELECT jemctx_fleet.remove_node('c')));
is($first->safe_psql('postgres', q(SELECT to_regclass('jemctx_fleet.jemctx_backends') IS NULL)), 't', 'is gone');

# Others see nothing, and those who look change nothing.
for ([ clerk => $look, 'schema jemctx_fleet' ],
	[ monitor => q(SELECT jemctx_fleet.remove_node('a')), 'function remove_node' ],
	[ monitor => q(SELECT jemctx_fleet.add_node('e', 'h', 'u')), 'function add_node' ],
	[ monitor => 'CREATE SERVER e FOREIGN DATA WRAPPER jemctx_fleet', 'foreign-data wrapper jemctx_fleet' ])
{
	my ($role, $statement, $what) = @$_;
	my (undef, undef, $error) = $first->psql('postgres', "SET ROLE $role; $statement");
	like($error, qr/ERROR:  permission denied for $what/, "$what is not for $role");
}

# What monitoring/README.md has for Citus, with a function that says what that of Citus would.
$first->safe_psql('postgres', q(
	CREATE TABLE pg_dist_node (nodeid int, nodename text, nodeport int);
	INSERT INTO pg_dist_node VALUES (1, 'one', 5432), (2, 'two', 5433);
	CREATE FUNCTION run_command_on_all_nodes(command text, OUT nodeid int, OUT success bool, OUT result text)
	RETURNS SETOF record LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE command INTO result;
		RETURN QUERY VALUES (0, true, result), (1, true, result), (2, false, 'failed to connect');
	END $$));
my ($citus) = slurp_file("$ENV{TESTDIR}/monitoring/README.md") =~ /^### Citus\n.*?^```sql\n(.*?);\n```/ms;
is($first->safe_psql('postgres', "SELECT nodename, nodeport, error, memory_limit FROM ($citus) c ORDER BY nodeport"),
	"one|5432||@{[1000 << 20]}\ntwo|5433|failed to connect|\n|||@{[1000 << 20]}", 'Citus');

$_->stop for $first, $second, $third;
done_testing();
