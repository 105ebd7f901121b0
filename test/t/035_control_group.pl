# Where the kernel gives this server no more than a control group may have: it
# kills whoever asks for more, and the limits are there so that nobody does.
# Only root can make such a group, so the runner does.
#
# Control group of 400 MB.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

plan skip_all => 'needs a control group with a limit' unless $ENV{CONTROL_GROUP_LIMIT};

my $limit = $ENV{CONTROL_GROUP_LIMIT};
my $node = namespace_node('main', <<'CONF');
shared_buffers = 16MB
jit = off
max_parallel_workers_per_gather = 0
work_mem = '4GB'
jemctx.namespace_memory = '4GB'
CONF
my $observer = session($node);
my $start_time = query($observer, 'SELECT pg_postmaster_start_time()');
my $killed = qr/terminated by signal 9/;

# New sessions have what was set.
sub reload_and_wait
{
	my ($name, $value) = @_;

	query($observer, 'SELECT pg_reload_conf()');
	ok(poll(sub { session_output($node, 'SHOW jemctx.server_memory_limit') =~ $value }), "$name is set");
	return;
}

is(query($observer, 'SELECT cgroup_limit FROM jemctx_server'), $limit, 'its limit is shown');

# A namespace that could have ten times as much.
for my $turn (1 .. 2)
{
	my ($code, $out, $err);

	sql($node, "SELECT jemctx_test_ns_fill('a', 1000, 4000000000)");
	($code, $out, $err) = $node->psql('postgres', "SELECT jemctx_test_ns_no_memory('a', 100000000)");
	like($err, qr/ERROR:  out of memory in namespace "a"/, "turn $turn: a namespace is refused memory");
	like($err, qr/HINT:  .*control groups have left/, "turn $turn: and the hint names control groups");
	cmp_ok(figure($node, 'allocated'), '>', 0.6 * $limit, "turn $turn: after it had most of it");
	cmp_ok(figure($node, 'committed'), '<', $limit, "turn $turn: but not all");
	is(sql($node, "SELECT jemctx_namespace_reset('a')"), '', "turn $turn: what it had is given up");
	wait_for_figure($node, 'resident < 1000000', "turn $turn: and goes back");
}

# Eight sessions that want a gigabyte each, with a limit below the group's.
query($observer, sprintf("ALTER SYSTEM SET jemctx.server_memory_limit = '%dkB'", 0.7 * $limit / 1024));
reload_and_wait('a limit', qr/^\d+[kM]B$/);
my $hungry = 'SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 10000000) g ORDER BY m) s';
my @sessions = map { session($node) } 1 .. 8;
send_query($_, $hungry) for @sessions;
my @answers = map { answer($_) } @sessions;
is(scalar(grep { /ERROR:  out of memory/ } @answers), 8, 'sessions are refused memory') or diag join "\n", @answers;
is(query($_, 'SELECT 1'), '1', 'and go on') for @sessions;
close_session($_) for @sessions;
is(query($observer, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
unlike(slurp_file($node->logfile), $killed, 'the kernel has killed nobody');

# Nor does it have to be set.
query($observer, 'ALTER SYSTEM RESET jemctx.server_memory_limit');
reload_and_wait('the automatic limit', qr/^-1$/);
@sessions = map { session($node) } 1 .. 8;
send_query($_, $hungry) for @sessions;
@answers = map { answer($_) } @sessions;
is(scalar(grep { /ERROR:  out of memory/ } @answers), 8, 'sessions are refused memory without a limit of ours')
  or diag join "\n", @answers;
is(query($_, 'SELECT 1'), '1', 'and go on') for @sessions;
close_session($_) for @sessions;
is(query($observer, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
unlike(slurp_file($node->logfile), $killed, 'the kernel has killed nobody');

# It would have, and the server starts over with its namespaces.
query($observer, 'ALTER SYSTEM SET jemctx.server_memory_limit = 0');
reload_and_wait('no limit', qr/^0$/);
close_session($observer);
my $offset = -s $node->logfile;
my ($code, $out, $err) = $node->psql('postgres', $hungry);
isnt($code, 0, 'when nobody looks a statement fails');
ok($node->wait_for_log($killed, $offset), 'because the kernel kills it');
wait_for_recovery($node, $offset);
pass('the server starts over');
sql($node, "SELECT jemctx_namespace_create('a')");
is(sql($node, "SELECT jemctx_test_ns_fill('a', 1000, 20000000)"), '20000000', 'with its namespaces');
$node->stop;

done_testing();
