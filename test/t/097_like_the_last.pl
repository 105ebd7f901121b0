# Most statements end with a glance, since nothing has changed since the last one's end.  Whatever has changed is seen
# to at the end of the very next statement nevertheless.  In a checking build.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

# For debug_refuse.
use_variant('checking');
my $node = new_node('main', "jit = off\njemctx.idle_purge_after = -1\njemctx.idle_cache_limit = -1");
$node->start;
my $observer = session($node);

# A session, after statements that have left it as it was.
sub settled_session
{
	my ($before) = @_;
	my $session = session($node);

	query($session, $before) if $before;
	query($session, 'SELECT 1') for 1 .. 5;
	return $session;
}

# What a session has told is of the end of its last statement, which an observer may see before the end is seen to.
sub comes_to
{
	my ($session, $column, $check) = @_;

	return poll(sub { $check->(backend($observer, $session, $column)) });
}

# Settings that there was nothing to do for so far; it keeps some 3 MB, and less than what is counted.
my $some = "SELECT length(repeat('x', 2500000))";
my $session = settled_session("$some; $some");
my $kept = backend($observer, $session, 'kept');
cmp_ok($kept, '>', 2e6, 'a session keeps what a statement has freed');
query($session, 'SET jemctx.idle_purge_after = 0');
ok(comes_to($session, 'kept', sub { $_[0] < 1e6 }), 'idle_purge_after = 0 has it return that');

$session = settled_session();
query($session, "SET jemctx.backend_memory_limit = '100MB'");
ok(comes_to($session, 'memory_limit', sub { $_[0] eq 100 * 1024 * 1024 }), 'a limit is told');
query($session, 'RESET jemctx.backend_memory_limit');
ok(comes_to($session, 'memory_limit', sub { $_[0] eq '' }), 'and that there is none any more');

$session = settled_session();
ok(comes_to($session, 'cache', sub { query($session, 'SELECT 1'); $_[0] > 64 * 1024 }),
	'a session knows of its caches');
my $purges = backend($observer, $session, 'purges');
query($session, 'SET jemctx.busy_cache_limit = 64');
ok(comes_to($session, 'purges', sub { $_[0] > $purges }), 'busy_cache_limit has it drop them');

# What it keeps is told of each statement, also when it holds as much as before.
my $cursor = 'BEGIN; DECLARE c CURSOR FOR '
  . "SELECT g::text || repeat('x', 1000) FROM generate_series(1, 3000) g ORDER BY 1; MOVE 1 IN c";
$session = settled_session($cursor);
$kept = backend($observer, $session, 'kept');
query($session, 'CLOSE c');
ok(comes_to($session, 'kept', sub { $_[0] > $kept + 2e6 }), 'a session that frees some keeps it, as others see');

# Others' requests.
$session = settled_session("$some; $some");
query($session, 'BEGIN; SELECT 1');
query($observer, 'SELECT jemctx_purge(' . pid_of($session) . ')');
ok(comes_to($session, 'kept', sub { $_[0] < 1e6 }), 'a request is carried out');

# More is kept than all may keep, and that was the session's last statement.
query($observer, "ALTER SYSTEM SET jemctx.kept_memory_limit = '1MB'");
query($observer, 'SELECT pg_reload_conf()');
ok(poll(sub { query($observer, 'SHOW jemctx.kept_memory_limit') eq '1MB' }), 'a budget');
$session = settled_session($cursor);
# the last time that it added up was longer ago
query($session, 'SELECT pg_sleep(1.5)');
query($session, 'SELECT 1') for 1 .. 5;
query($session, 'CLOSE c');
ok(comes_to($session, 'kept', sub { $_[0] < 1.1e6 }), 'a session that keeps more than its share returns it');
query($observer, 'ALTER SYSTEM RESET jemctx.kept_memory_limit');
query($observer, 'SELECT pg_reload_conf()');

# A limit of a function's, which was told while it was in force.
query($observer, "CREATE FUNCTION limited() RETURNS bigint LANGUAGE sql SET jemctx.backend_memory_limit = '300MB'
	AS 'SELECT count(*) FROM jemctx_backends'");
$session = settled_session('SELECT limited()');
query($session, 'SELECT limited()') for 1 .. 3;
ok(comes_to($session, 'memory_limit', sub { $_[0] eq '' }), 'a limit that is over is not told any more');

# An error takes away what explains a lack of memory.
$session = settled_session();
for my $time (1, 2)
{
	like(query($session, 'SELECT 1/0'), qr/division by zero/, "an error, $time");
	query($session, 'SELECT 1') for 1 .. 3;
	like(query($session, "SET jemctx.debug_refuse = 1; $some"),
		qr/out of memory.*DETAIL:  This process holds/s, "a refusal after that is explained, $time");
}

# Figures go on, of one that is busy with small statements.
$session = settled_session();
my $first = backend($observer, $session, 'published_at');
ok(poll(sub { query($session, 'SELECT 1'); backend($observer, $session, 'published_at') gt $first }),
	'a busy session publishes figures again');

# What is needed again and again is counted when a session has grown, and what is not is returned.
$session = settled_session("SET jemctx.dirty_decay = 300");
query($session, big_sorts());
ok(poll(sub { query($session, 'SELECT 1'); backend($observer, $session, 'committed') < 12e6 }),
	'a session that grows once gives it back');

$node->stop;

done_testing();
