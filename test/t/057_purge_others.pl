# Whom one may ask for a purge, and when it makes sense to wait.  pg_regress has
# one session at a time.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jemctx.idle_purge_after = -1\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE helper LOGIN IN ROLE pg_signal_backend');
my $observer = session($node);
my $helper = session($node, connstr => $node->connstr('postgres') . ' user=helper');

# A process without a role may be as important as a superuser's.
my @kinds = ('logical replication launcher', 'checkpointer', 'background writer', 'walwriter');
for my $kind (@kinds)
{
	my $pid;

	ok( poll(
			sub {
				($pid = query($observer, "SELECT pid FROM pg_stat_activity WHERE backend_type = '$kind'")) =~ /^\d+$/;
			}),
		"there is a $kind");
	like(query($helper, "SELECT jemctx_purge($pid)"),
		qr/ERROR:  permission denied to purge the memory of process $pid\nHINT:  .*superuser/,
		"$kind: refused to pg_signal_backend");
	unlike(query($observer, "SELECT jemctx_purge($pid)"), qr/ERROR/, "$kind: not to a superuser");
}
like(query($helper, 'SELECT jemctx_purge_all()'), qr/^\d+$/, 'all that one may ask are asked');

# A cancel that comes too late leaves a backend in PostgreSQL's own wait.  With its next statement
# it is busy, and nobody waits for an answer: so many would take a minute.
# Nobody sees that it has taken notice of the cancel, so the statement may still get it.
my $session = session($node);
my $pid = pid_of($session);
query($observer, 'SELECT pg_advisory_lock(1)');
for my $try (1 .. 10)
{
	query($observer, "SELECT pg_cancel_backend($pid), pg_sleep(0.5)");
	send_query($session, 'SELECT pg_advisory_xact_lock(1)');
	poll(
		sub {
			is_answered($session)
			  || query($observer, "SELECT wait_event FROM pg_stat_activity WHERE pid = $pid") eq 'advisory';
		});
	last if !is_answered($session);
}
is(query($observer, "SELECT wait_event FROM pg_stat_activity WHERE pid = $pid"), 'advisory', 'a backend is busy');
query($observer, 'SET client_min_messages = error');
is( query(
		$observer,
		"SELECT count(jemctx_purge($pid)), clock_timestamp() < statement_timestamp() + interval '30 s'
			FROM generate_series(1, 60)"),
	'0|t',
	'nobody waits for it');
query($observer, 'SELECT pg_advisory_unlock(1)');
answer($session);

$node->stop;
done_testing();
