# Processes that die while they work on namespaces: whatever step they are at,
# the server starts over, and nobody has a stale pointer.  pg_regress cannot
# kill its server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

use_variant('checking');
my $node = namespace_node('main');

sub crashes
{
	my ($what, $do) = @_;
	my $offset = -s $node->logfile;

	sql($node, "SELECT jemctx_test_ns_fill('a', 1000, 1000000)");
	$do->();
	survives_crash($node, $offset, $what);
	return;
}

# A backend at each step of filling and emptying a magazine, and waiting.
for my $fault (qw(die_before_fill die_in_fill die_after_fill die_in_flush die_after_flush))
{
	crashes($fault, sub {
			fault($node, $fault, 3);
			my ($status) =
			  $node->psql('postgres', "SELECT jemctx_test_ns_fill('a', 300, 1000000), jemctx_test_ns_drain('a')");
			isnt($status, 0, "$fault: the session is gone");
		});
}
crashes('die_waiting', sub {
		fault($node, 'die_waiting', 1);
		$node->psql('postgres', "SELECT jemctx_test_ns_fill('a', 300000, 30000000)");
	});

# The keeper, at work and idle.
crashes('die_keeper', sub {
		fault($node, 'die_keeper', 1);
		$node->psql('postgres', "SELECT jemctx_test_ns_fill('a', 300, 10000000)");
	});
for my $signal (qw(KILL QUIT ABRT))
{
	crashes("SIG$signal to the keeper", sub { kill $signal, keeper_pid($node) });
}

# A session that waits or works while that happens ends, and others come.
my $session = open_session($node);
is(ask($session, "SELECT jemctx_test_ns_stale('a', 'keep')"), 0, 'a session has an object');
crashes('with a session', sub { kill 'KILL', keeper_pid($node) });
eval { $session->{psql}->finish };
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'")
	or die;
pass('sessions with pointers are gone');

# Only the postmaster may end the keeper.
my $keeper = keeper_pid($node);
kill 'TERM', $keeper;
kill 'INT', $keeper;
is(sql($node, "SELECT pg_terminate_backend($keeper)"), 'f', 'the keeper is no backend to be terminated');
is(sql($node, "SELECT jemctx_test_ns_fill('a', 100000, 10000000)"), 10000000, 'it works on');
is(keeper_pid($node), $keeper, 'the keeper is the same');

# Shutting down while others use namespaces.
for my $mode (qw(fast smart immediate))
{
	my $user = open_session($node);
	ask($user, "SELECT jemctx_test_ns_fill('a', 100, 1000000)");
	close_session($user) if $mode eq 'smart';
	$node->stop($mode);
	pass("a $mode shutdown ends");
	eval { $user->{psql}->finish } if $mode ne 'smart';
	$node->start;
	sql($node, "SELECT jemctx_namespace_create('a')");
}

# A worker that SIGTERM ends at any instruction: as it takes the last object off a magazine.
my $start = -s $node->logfile;
sql($node, "SELECT jemctx_test_kill_begin('a', 1)");
for my $round (1 .. 3)
{
	my $worker = sql($node, "SELECT jemctx_test_kill_worker('a', false)");

	fault($node, 'term_in_settle', $round);
	poll(sub { !kill(0, $worker) }) or die 'the worker goes on';
}
unlike(slurp_file($node->logfile, $start), qr/was terminated by signal/, 'a worker ends at any instruction');
is(sql($node, "SELECT jemctx_test_kill_check('a') > 0"), 't', 'and what it made is whole');
sql($node, "SELECT jemctx_namespace_reset('a')");

# A session that is terminated in the middle returns what it keeps.
my $busy = open_session($node);
$busy->{in} .=
  "SELECT jemctx_test_ns_fill('a', 100, 1000000), jemctx_test_ns_drain('a') FROM generate_series(1, 1000000);\n";
$busy->{psql}->pump_nb;
wait_for_figure($node, 'fills > 100', 'a session works');
sql($node, "SELECT pg_terminate_backend($busy->{pid})");
eval { $busy->{psql}->finish };
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $busy->{pid}") or die;
sql($node, "SELECT jemctx_test_ns_drain('a')");
wait_for_figure($node, 'cached = 0 AND objects <= 1', 'a terminated session leaves nothing behind');
adds_up($node, 'after a termination');
$node->stop;

done_testing();
