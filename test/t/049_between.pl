# Others act between two steps of a call, in a checking build: what was looked up
# is not what it was, and memory is somebody else's.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

use_variant('checking');
my $node = namespace_node('main');
my ($one, $two) = map { open_session($node) } 1 .. 2;

query($one, '\set VERBOSITY terse');

# A name was looked up: when another namespace has the slot it is not that one.
for my $deed ('reset', 'drop')
{
	for my $next ('b', 'a')
	{
		my $answer = in_pause($node, 'pause_after_look_up', $one, "SELECT jemctx_namespace_$deed('a')", sub {
			ask($two, "SELECT jemctx_namespace_drop('a'), jemctx_namespace_create('$next'),
				jemctx_test_ns_fill('$next', 100, 1000)");
		});

		# as with a table, it is the new one's turn if it has the name
		is($answer, $next eq 'a' ? '' : 'ERROR:  namespace "a" does not exist', "$deed of a dropped namespace");
		is(sql($node, 'SELECT name, objects FROM jemctx_namespaces'),
			$next eq 'b' ? 'b|10' : $deed eq 'reset' ? 'a|0' : '', "when $next is in its place");
		sql($node, "SELECT jemctx_namespace_drop(name) FROM jemctx_namespaces; SELECT jemctx_namespace_create('a')");
	}
}

# A handle is got of what was looked up: not of the next in the slot.
my $answer = in_pause($node, 'pause_after_look_up', $one, "SELECT jemctx_test_ns_fill('a', 100, 500)", sub {
	ask($two, "SELECT jemctx_namespace_drop('a'), jemctx_namespace_create('b'), jemctx_test_ns_fill('b', 100, 1000)");
});
is($answer, 'ERROR:  namespace "a" was dropped', 'a handle of a dropped namespace');
is(sql($node, 'SELECT name, objects FROM jemctx_namespaces'), 'b|10', 'is none of the next');
sql($node, "SELECT jemctx_namespace_drop('b'), jemctx_namespace_create('a')");

# A large object is being cleared when a reset takes it, and others get the memory: it has their data.
# The second reset waits until what the first took is free.
$answer = in_pause($node, 'pause_in_clear', $one, "SELECT jemctx_test_ns_zero_again('a', 400000, 100)", sub {
	ask($two, "SELECT jemctx_namespace_reset('a'), jemctx_namespace_reset('a')");
	is(ask($two, "SELECT jemctx_test_ns_fill('a', 390000, 3900000)"),
		3900000, 'what was being cleared is reset, and used by others');
});
is($answer, '', 'who has cleared it gets another object');
is(ask($two, "SELECT jemctx_test_ns_check('a')"), 10, 'and they have what is theirs');

# Nobody waits any more for a large object that the keeper has got, or for one that is still to be cleared: it is
# free again.
sub nobody_has_it
{
	my ($what) = @_;

	wait_for_figure($node, 'objects = 0 AND allocated = 0', "$what: the object is free again");
	adds_up($node, $what);
	return;
}

sub cancel_one
{
	ask($two, 'SELECT pg_cancel_backend(' . pid_of($one) . ')');
	ok(poll(sub { is_answered($one) }), 'who is cancelled goes on');
	return;
}
my $cancelled = qr/^ERROR:  canceling statement due to user request$/;

ask($two, "SELECT jemctx_namespace_reset('a')");
like(in_pause($node, 'pause_in_clear', $one, "SELECT jemctx_test_ns_zero_again('a', 400000, 100)", \&cancel_one),
	$cancelled, 'cancelled while the object is cleared');
nobody_has_it('cancelled while the object is cleared');
like(in_pause($node, 'pause_before_answer', $one, "SELECT jemctx_test_ns_fill('a', 400000, 400000)", \&cancel_one),
	$cancelled, 'cancelled before the answer');
nobody_has_it('cancelled before the answer');

# The answer is there, but who has asked for it is ended, or its statement is, before it looks.
for my $how (qw(INT TERM))
{
	my $keeper = keeper_pid($node);
	my $victim = open_session($node);
	my $pid = pid_of($victim);

	kill 'STOP', $keeper;
	send_query($victim, "SELECT jemctx_test_ns_fill('a', 400000, 400000)");
	$node->poll_query_until('postgres', "SELECT wait_event = 'Extension' FROM pg_stat_activity WHERE pid = $pid")
	  or die 'it does not wait for the keeper';
	kill 'STOP', $pid;
	kill $how, $pid;
	kill 'CONT', $keeper;
	wait_for_figure($node, 'objects = 1', "SIG$how: the keeper has answered");
	kill 'CONT', $pid;
	like(answer($victim), $how eq 'INT' ? qr/canceling statement/ : qr/terminating connection/, "SIG$how: it ends");
	nobody_has_it("SIG$how");
	close_session($victim);
}
close_session($_) for $one, $two;

$node->stop;

done_testing();
