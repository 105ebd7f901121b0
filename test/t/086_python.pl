# What functions in Python have is counted, limited, and returned like all else.  That wants PL/Python,
# which "make libraries" installs, and a session each: Python stays as it has begun.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jemctx.idle_purge_after = 200\n");
$node->start;
if ($node->safe_psql('postgres', q(SELECT count(*) FROM pg_available_extensions WHERE name = 'plpython3u')) eq '0')
{
	$node->stop;
	plan skip_all => 'there is no PL/Python';
}
$node->safe_psql('postgres', q(
	CREATE EXTENSION plpython3u;
	CREATE FUNCTION objects(n int) RETURNS int LANGUAGE plpython3u AS $$
l = [(i, str(i), {'k': i}) for i in range(n)]
return len(l) $$;
));
my $observer = session($node);
my ($count, $much) = (200000, 60 * 1024);

sub committed
{
	my ($session, $column) = @_;

	return int(backend($observer, $session, $column // 'committed') / 1024);
}

sub python_session
{
	my ($setting) = @_;
	my $session = session($node);

	query($session, "SET jemctx.python_malloc = $setting; SELECT objects(1)");
	return $session;
}

# Without it CPython maps its own.
my $own = python_session('off');
my $before = anonymous_kb(pid_of($own));
is(query($own, "SELECT objects($count)"), $count, 'off: a function in Python');
cmp_ok(committed($own, 'committed_peak'), '<', $much, 'off: its objects are not counted');
ok(poll(sub { anonymous_kb(pid_of($own)) < $before + 8192 }), 'off: and CPython returns them');
close_session($own);

my $session = python_session('on');
$before = anonymous_kb(pid_of($session));
query($session, 'SET jemctx.idle_purge_after = -1; SET jemctx.dirty_decay = -1');
is(query($session, "SELECT objects($count)"), $count, 'on: a function in Python');
cmp_ok(committed($session, 'committed_peak'), '>', $much, 'on: its objects are counted');
# with each large piece jemalloc takes a quarter more from 5.3.1 on, which nobody has touched until it is needed
my $quarter = query($session, "SELECT value FROM jemctx_info WHERE name = 'jemalloc_version'") !~ /^5\.3\.0-/;
my ($counted, $there) = (committed($session), anonymous_kb(pid_of($session)));
cmp_ok($there - $counted, '<', 8192, 'on: to what the kernel says');
cmp_ok($counted - $there, '<', 8192 + ($quarter ? $there / 4 : 0), 'on: and not to more');
query($session, 'RESET jemctx.dirty_decay; RESET jemctx.idle_purge_after');
ok(poll(sub { anonymous_kb(pid_of($session)) < $before + 8192 }), 'on: and they are returned');
close_session($session);

# At a limit Python has its MemoryError.
$session = python_session('on');
query($session, '\set VERBOSITY verbose');
query($session, "SET jemctx.library_headroom = '1MB'");
my $limit = committed($session) + 32 * 1024;
query($session, "SET jemctx.backend_memory_limit = '${limit}kB'");
like(query($session, "SELECT objects($count)"), qr/ERROR:  53200: /, 'limit: the statement ends');
is(query($session, 'SELECT objects(1000)'), '1000', 'limit: Python goes on');
cmp_ok(committed($session, 'committed_peak'), '<', $limit + 4096, 'limit: it holds');
query($session, 'SET jemctx.backend_memory_limit = 0');
is(query($session, "SELECT objects($count)"), $count, 'limit: without one, there is all');

# But not while it is initialized, which neither it nor PL/Python would survive: as of any library the
# statement ends afterwards, or the session at once.
query($observer, 'CREATE ROLE plain LOGIN');
query($observer, "GRANT SET ON PARAMETER jemctx.$_ TO plain") for qw(backend_memory_limit library_headroom);
for my $headroom ('64MB', '256kB')
{
	for my $above (0, 300, 700, 1500)
	{
		my $new = session($node, connstr => $node->connstr('postgres') . ' user=plain');
		my $what = "$above kB and a headroom of $headroom";

		pid_of($new);
		query($new, '\set VERBOSITY verbose');
		$limit = committed($new) + $above;
		query($new, "SET jemctx.library_headroom = '$headroom'; SET jemctx.backend_memory_limit = '${limit}kB'");
		my $text = query($new, 'SELECT objects(1)');
		like($text, qr/(ERROR|FATAL):  53200: |^1$/, "first function with $what: 53200, or nothing");
		if ($text !~ /FATAL/)
		{
			query($new, 'SET jemctx.backend_memory_limit = 0');
			is(query($new, 'SELECT objects(1)'), '1', "first function with $what: Python goes on");
		}
		close_session($new);
	}
}

# Where malloc is not jemalloc, CPython is left alone.
$node->append_conf('postgresql.conf', "jemctx.process_malloc = system\n");
$node->restart;
is($node->safe_psql('postgres', 'SELECT objects(1000)'), '1000', 'malloc of the system: a function in Python');
nobody_died($node);
$node->stop;

done_testing();
