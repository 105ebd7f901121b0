# A process that ends while it waits for the keeper leaves nothing behind: whoever
# has its place in shared memory next is answered at once.  pg_regress cannot
# stop a process.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

my $node = namespace_node('main');
my $observer = open_session($node);
my $keeper = keeper_pid($node);

# What waits for the keeper, in a session that has done nothing else, and what its successor must get.
my %requests = (
	reset => "SELECT jemctx_namespace_reset('a')",
	drop => "SELECT jemctx_namespace_drop('b')",
	purge => 'SELECT jemctx_purge_all() >= 0',
	fill => "SELECT jemctx_test_ns_fill('a', 1000, 1000000) > 0",
	large => "SELECT jemctx_test_ns_fill('a', 3000000, 9000000) > 0");

# One with that pid waits for the keeper, or has ended.
sub waits_for
{
	my ($pid, $condition) = @_;

	return poll(sub { query($observer, "SELECT $condition FROM pg_stat_activity WHERE pid = $pid") eq 't' });
}

sub ended
{
	my ($pid) = @_;

	return poll(sub { query($observer, "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid") eq '0' });
}

for my $what (sort keys %requests)
{
	query($observer, "SELECT jemctx_namespace_create('b')") if $what eq 'drop';
	my $session = open_session($node);
	kill 'STOP', $keeper;
	send_query($session, $requests{$what});
	ok(waits_for($session->{pid}, "wait_event_type = 'Extension'"), "$what: a session waits for the keeper");
	query($observer, "SELECT pg_terminate_backend($session->{pid})");
	ok(ended($session->{pid}), "$what: it is terminated");
	kill 'CONT', $keeper;
	eval { $session->{psql}->finish };

	# the next to connect has its place; nobody is kept waiting for an answer that never comes
	my @successors = map { open_session($node) } 1 .. 2;
	for my $successor (@successors)
	{
		is(ask($successor, "SELECT jemctx_namespace_reset('a')"), '', "$what: a successor is answered");
		close_session($successor);
		ended($successor->{pid});
	}
	query($observer, "SELECT jemctx_namespace_drop('b')") if $what eq 'drop';
}
is(keeper_pid($node), $keeper, 'the keeper is the same');
close_session($observer);
$node->stop;

done_testing();
