# What processes tell each other, which needs several of them, and ends of
# processes of every kind.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jit = off\nmax_connections = 20\nautovacuum = on\nrestart_after_crash = on\n");
$node->start;
my $observer = session($node);
my $session = session($node);

# What the observer sees comes to be that: others come and go. 't', or what it is instead.
sub becomes
{
	my ($sql, $expected) = @_;
	my $seen;

	return poll(sub { ($seen = query($observer, $sql)) eq $expected }) ? 't' : $seen;
}

# Every process with a PGPROC has a row, whatever its kind; the smallest of 16 hold 0.9 MB.
my $least = server_major() == 16 ? 800000 : 1000000;
my $kinds = qq(
	SELECT string_agg(DISTINCT backend_type COLLATE "C", ',' ORDER BY backend_type COLLATE "C") FROM jemctx_backends
	WHERE committed > $least AND committed < 10e6 AND committed_peak >= committed AND inherited <= committed);
is(becomes($kinds, join(',', 'autovacuum launcher', 'background worker', 'background writer', 'checkpointer',
			'client backend', server_major() < 18 ? () : 'io worker', 'logical replication launcher',
			'walwriter')), 't',
	'each kind of process has an account');
is(becomes('SELECT count(*) FROM jemctx_backends b FULL JOIN pg_stat_activity a USING (pid) WHERE b.pid IS NULL
	OR a.pid IS NULL AND b.backend_type <> \'background worker\'', '0'),
	't', 'the same processes as in pg_stat_activity, and the keeper');
is(becomes('SELECT unaccounted, processes = (SELECT count(*) FROM jemctx_backends) FROM jemctx_server', '0|t'),
	't', 'none is without account');

# Live, in the middle of a statement: the sort is held by a cursor.
my $before = backend($observer, $session, 'committed');
query($session, "SET work_mem = '64MB'; BEGIN; DECLARE c CURSOR FOR SELECT g, md5(g::text) m
	FROM generate_series(1, 300000) g ORDER BY m; MOVE 1 IN c;");
cmp_ok(backend($observer, $session, 'committed') - $before, '>', 20e6, 'what a statement holds is seen while it runs');
my $both = 'SELECT sum(a.committed) = max(b.committed) FROM jemctx_arenas a, jemctx_backends b
	WHERE b.pid = pg_backend_pid()';
# the look itself may take memory, or return some first, between the two
ok(poll(sub { query($session, $both) eq 't' }), 'and is what the arenas say');
query($session, 'COMMIT');
cmp_ok(backend($observer, $session, 'committed_peak'), '>', $before + 20e6, 'the peak stays');

# Published figures are those of the arenas, of the end of some statement a second ago.
ok( poll(sub { query($session, q(
	SELECT abs(b.allocated - a.allocated) < 500000, abs(b.active - a.active) < 500000,
		b.published_at > now() - interval '100 s'
	FROM jemctx_backends b, (SELECT sum(allocated) AS allocated, sum(active) AS active FROM jemctx_arenas) a
	WHERE b.pid = pg_backend_pid())) eq 't|t|t' }), 'published figures are right');
my $is_cache = server_major() < 18 ? q(name = 'CacheMemoryContext' OR parent = 'CacheMemoryContext') :
  q(path @> (SELECT path FROM all_contexts WHERE name = 'CacheMemoryContext'));
ok( poll(sub { query($session, "
	WITH all_contexts AS MATERIALIZED (SELECT * FROM pg_backend_memory_contexts)
	SELECT abs(b.cache - (SELECT sum(total_bytes) FROM all_contexts WHERE $is_cache)) < 200000
	FROM jemctx_backends b WHERE b.pid = pg_backend_pid()") eq 't' }), 'and so is that of the caches');
is(query($session, 'SELECT published_at >= now() FROM jemctx_backends WHERE pid = pg_backend_pid()'),
	't', 'its own are of this moment');

# A limit that a session has set is seen, also when it says nothing afterwards.
my $limited = session($node);
for my $mb (100, 200)
{
	query($limited, "SET jemctx.backend_memory_limit = '${mb}MB'; SELECT pg_backend_pid()");
	ok(poll(sub { backend($observer, $limited, 'memory_limit') eq $mb * 1048576 }), "a limit of $mb MB is seen");
}
close_session($limited);

# The server's sum is that of the processes, what they inherited counted once, but for what they are taken to have
# written of it.
is( becomes(q(
	SELECT abs(s.committed - b.committed) < 1000000
	FROM jemctx_server s, (
		SELECT max(inherited) +
			sum(committed - inherited +
				greatest(least(committed_peak - inherited - 1048576, inherited, 1048576), 0)) committed
		FROM jemctx_backends) b),
		't'),
	't', 'the server holds what its processes hold');

# More connections than there may be, coming and going: places are taken again.
my $places = query($observer, 'SELECT processes FROM jemctx_server');
for my $round (1 .. 3)
{
	my @sessions = map { session($node) } 1 .. 25;
	my $connected = grep { pid_of($_) =~ /^\d+$/ } @sessions;

	cmp_ok($connected, '<', 20, "round $round: no more than max_connections");
	cmp_ok($connected, '>=', 15, "round $round: but nearly so many");
	is(becomes('SELECT unaccounted FROM jemctx_server', '0'), 't', "round $round: each has its account");
	close_session($_) for @sessions;
	ok(poll(sub { query($observer, 'SELECT processes FROM jemctx_server') <= $places + 1 }),
		"round $round: ended processes are gone");
}

# A backend that is terminated in the middle of a statement is gone, too.
my $victim = session($node);
my $pid = pid_of($victim);
query($observer, "SELECT pg_terminate_backend($pid)");
ok(poll(sub { query($observer, "SELECT count(*) FROM jemctx_backends WHERE pid = $pid") eq '0' }),
	'a terminated backend is gone');

# Any signal: after a crash the registry is new, and works.
$victim = session($node);
pid_of($_) for $session, $victim;
my $offset = -s $node->logfile;
kill 'KILL', pid_of($victim);
wait_for_recovery($node, $offset);
pass('the server is back after a crash');
is($node->safe_psql('postgres', 'SELECT count(*) FILTER (WHERE pid = ' . pid_of($session) . '),
	bool_and(committed > 0) FROM jemctx_backends'), '0|t',
	'processes from before the crash are not in the registry');
is($node->poll_query_until('postgres', "SELECT count(*) = 1 AND count(committed) = 1 FROM jemctx_backends
	WHERE backend_type = 'client backend'"), 1,
	'those from after it are');
$node->stop;

# A standalone backend has shared memory of its own.
my $out = '';
my $in = 'SELECT count(*) FROM jemctx_backends WHERE committed > 0';
IPC::Run::run([ 'postgres', '--single', '-F', '-D', $node->data_dir, 'postgres' ],
	'<', \$in, '>', \$out, '2>', '/dev/null');
like($out, qr/count = "1"/, 'a standalone backend has an account');

done_testing();
