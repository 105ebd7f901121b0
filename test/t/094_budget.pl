# All processes together keep no more free memory than jemctx.kept_memory_limit:
# the longest idle returns its own first. pg_regress has one session.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
jit = off
max_parallel_workers_per_gather = 0
jemctx.idle_purge_after = -1
jemctx.dirty_decay = '1h'
CONF
$node->start;
my $observer = session($node);

sub kept
{
	my ($session) = @_;

	return backend($observer, $session, 'kept');
}

# It tells when its client has the answer already.
sub keeps_much
{
	my ($session, $what) = @_;

	return ok(poll(sub { kept($session) > 40e6 }), "$what: keeps much");
}

sub limit_to
{
	my ($limit, @sessions) = @_;

	query($observer, "ALTER SYSTEM SET jemctx.kept_memory_limit = '$limit'");
	query($observer, 'SELECT pg_reload_conf()');
	for my $session ($observer, @sessions)
	{
		ok(poll(sub { query($session, 'SHOW jemctx.kept_memory_limit') eq $limit }), "a session has the limit $limit");
	}
	return;
}

# By itself it goes by the machine.
is( query($observer, 'SELECT kept_limit = least(machine_total, cgroup_limit) / 16 FROM jemctx_server'),
	't', 'a sixteenth of what there is');

my @sessions = map { session($node) } 1 .. 3;
pid_of($_) for @sessions;
query($sessions[0], big_sorts());
keeps_much($sessions[0], 'one');
my $one = kept($sessions[0]);
query($sessions[1], big_sorts());
keeps_much($sessions[1], 'another');
cmp_ok(query($observer, 'SELECT kept FROM jemctx_server'), '>', 80e6, 'the server shows both');

# There is room for two and a half of them.
limit_to(int(2.5 * $one / 1024) . 'kB', @sessions);
keeps_much($_, 'while there is room') for @sessions[ 0, 1 ];
for my $session (@sessions[ 1, 0 ])
{
	query($session, 'SELECT 1');
	ok(waits_at($observer, $session, 'ClientRead'), 'the one that has to return it is idle for longest');
}
query($sessions[2], big_sorts());
ok(poll(sub { kept($sessions[1]) < 1e6 }), 'the longest idle returns what it keeps');
keeps_much($sessions[0], 'the other');
keeps_much($sessions[2], 'the one that has just worked');

# Busy ones have their share: less than each of them would keep.
limit_to(int($one / 4 / 1024) . 'kB', @sessions);
query($_, big_sorts()) for @sessions;
ok( poll(
		sub {
			query($_, 'SELECT 1') for @sessions;
			query($observer, 'SELECT kept <= kept_limit + 4 * 524288 FROM jemctx_server') eq 't';
		}),
	'all keep what the budget has');

# Or nothing.
limit_to('0', @sessions);
query($_, big_sorts()) for @sessions;
ok(poll(sub { kept($_) < 524288 }), 'nothing is kept') for @sessions;
$node->stop;

done_testing();
