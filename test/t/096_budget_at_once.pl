# Two processes find at once that more is kept than all may keep, in a checking build: together they have no more
# returned than is too much.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

use_variant('checking');
my $node = namespace_node('main', <<'CONF');
jit = off
max_parallel_workers_per_gather = 0
jemctx.idle_purge_after = -1
jemctx.dirty_decay = '1h'
jemctx.kept_memory_limit = '1GB'
CONF
my $observer = session($node);
# One that purges at the end of each statement never adds up: it would wait for the one that pauses.
query($observer, 'SET jemctx.idle_purge_after = 0');
my @sessions = map { session($node) } 1 .. 5;
pid_of($_) for @sessions;

sub kept
{
	my ($number) = @_;

	return backend($observer, $sessions[$number], 'kept');
}

# Three keep what they have needed, and there is room for three and a half.
for my $number (0 .. 2)
{
	query($sessions[$number], big_sorts());
	ok(poll(sub { kept($number) > 40e6 }), "$number keeps much");
}
my $limit = int(3.5 * kept(0) / 1024) . 'kB';
query($observer, "ALTER SYSTEM SET jemctx.kept_memory_limit = '$limit'");
query($observer, 'SELECT pg_reload_conf()');
for my $session (@sessions)
{
	ok(poll(sub { query($session, 'SHOW jemctx.kept_memory_limit') eq $limit }), 'a session has the limit');
}

# The fourth looks, for one to return what it keeps, and the fifth meanwhile, for another.
fault($node, 'pause_in_look', 1);
query($sessions[3], big_sorts());
sql($node, q(CREATE FUNCTION jemctx_debug_fault_pauses(text) RETURNS bool AS '$libdir/jemctx' LANGUAGE C STRICT));
ok($node->poll_query_until('postgres', q(SELECT jemctx_debug_fault_pauses('pause_in_look'))), 'the fourth looks');
query($sessions[4], big_sorts());
ok(waits_at($observer, $sessions[4], 'jemctx_budget'), 'the fifth waits until it may look');
fault($node, 'pause_in_look', 0);
ok(waits_at($observer, $sessions[$_], 'ClientRead'), "$_ has looked") for 3, 4;
ok(poll(sub { kept($_) < 1e6 }), "$_, of those that are idle for longest, returns what it keeps") for 0, 1;
query($sessions[2], 'SELECT 1');
ok(waits_at($observer, $sessions[2], 'ClientRead'), 'whoever was asked has done it');
cmp_ok(kept($_), '>', 40e6, "$_ keeps what it has") for 2 .. 4;
$node->stop;

done_testing();
