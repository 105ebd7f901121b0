# A limit of a backend's that was accepted once stays, although the least follows what the postmaster
# has, and that grows: with a long pg_hba.conf, as here. It takes new sessions and parallel workers.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jit = off\n" . parallel_setting() . " = on\nmax_parallel_workers_per_gather = 2\n");
$node->start;

# The least limit, in kB.
sub least_limit
{
	my ($least) = session_output($node, "SET jemctx.backend_memory_limit = '1kB'") =~ /less than (\d+) kB/;

	return $least;
}

# It is accepted when the postmaster is small, for a session and for later ones.
my $limit = least_limit() + 1024;
my $session = session($node);
is(query($session, "SET jemctx.backend_memory_limit = '${limit}kB'"), '', 'a limit for a session');
$node->safe_psql('postgres', "CREATE ROLE $_ LOGIN") for qw(alice bob);
$node->safe_psql('postgres', "ALTER ROLE alice SET jemctx.backend_memory_limit = '${limit}kB'");
$node->safe_psql('postgres', "CREATE DATABASE other");
$node->safe_psql('postgres', "ALTER DATABASE other SET jemctx.backend_memory_limit = '${limit}kB'");

# The postmaster grows.
append_to_file($node->data_dir . '/pg_hba.conf',
	join('', map { "host all user_$_ 10.1.1.1/32 scram-sha-256\n" } 1 .. 5000));
$node->reload;
ok(poll(sub { least_limit() > $limit }), 'the least is above it then');
like(
	session_output($node, "SET jemctx.backend_memory_limit = '${limit}kB'"),
	qr/ERROR:  invalid value .*\nDETAIL:  No session could/,
	'nobody can set it any more');
like(
	session_output($node, "ALTER ROLE bob SET jemctx.backend_memory_limit = '${limit}kB'"),
	qr/ERROR:  invalid value/,
	'nor for a role');

# It stays where it is, and statements can be carried out.
my $parallel = 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM pg_class';
like(query($session, $parallel), qr/Workers Launched: 1/, 'the session has parallel workers');
for my $connstr ($node->connstr('postgres') . ' user=alice', $node->connstr('other') . ' user=bob')
{
	my ($whose) = $connstr =~ /user=(.*)/;
	my $new = session($node, connstr => $connstr);

	like(query($new, 'SHOW jemctx.backend_memory_limit'), qr/^(${limit}kB|\d+MB)$/, "$whose has it");
	is(query($new, 'SELECT 1'), '1', "$whose can carry out a statement");
	like(query($new, $parallel), qr/Workers Launched: 1/, "$whose has parallel workers");
	like(
		query($new, "SELECT length(repeat('x', 20000000))"),
		qr/ERROR:  out of memory/,
		"$whose is refused what is beyond it");
	close_session($new);
}

# What a client asks for is not what was accepted once.
my ($out, $error);
$node->psql(
	'postgres', 'SELECT 1',
	stdout  => \$out,
	stderr  => \$error,
	connstr => $node->connstr('postgres') . " options='-c jemctx.backend_memory_limit=1000'");
like($error, qr/FATAL:  invalid value .*\nDETAIL:  No session could/, 'a client cannot ask for less');
unlike(
	slurp_file($node->logfile),
	qr/terminated by signal|WARNING/,
	'no process has died, nor have settings been dropped');
$node->stop;

done_testing();
