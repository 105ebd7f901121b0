# The limit of the whole server, which takes several processes to reach.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
jit = off
max_parallel_workers_per_gather = 0
work_mem = '4GB'
jemctx.backend_memory_limit = '64MB'
jemctx.server_memory_limit = '200MB'
jemctx.idle_purge_after = -1
CONF
$node->start;
my $observer = session($node);
my $start_time = query($observer, 'SELECT pg_postmaster_start_time()');
my $hungry = 'SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 5000000) g ORDER BY m) s';
# Whichever comes first: the sort's blocks, or what OpenSSL has its digests from.
my $want = qr/asked for \d+ kB more|which libcrypto\S* has needed/;
my $holds = qr/(This process|The server) holds \d+ kB, $want, and may have (65536|204800) kB\./;
my $refusal = qr/ERROR:  53200: out of memory\nDETAIL:  $holds\nHINT:  Raise "jemctx\.(backend|server)_memory_limit"/;

# Eight at once, each wants ten times its limit, all together more than the server's.
my @sessions = map { session($node) } 1 .. 8;
query($_, '\set VERBOSITY verbose') for @sessions;
pid_of($_) for @sessions;
send_query($_, $hungry) for @sessions;
my $most = 0;
until (8 == grep { is_answered($_) } @sessions)
{
	my $committed = query($observer, 'SELECT committed FROM jemctx_server');

	$most = $committed if $committed =~ /^\d+$/ && $committed > $most;
}
my @answers = map { answer($_) } @sessions;
is(scalar(grep { $_ =~ $refusal } @answers), 8, 'every one is refused') or diag join "\n", @answers;
cmp_ok($most, '<=', 200 * 1048576 + 8 * 1048576, 'the limit is kept to 1 MB for each process');
is(query($observer, 'SELECT count(*) FROM jemctx_backends WHERE committed_peak > 65 * 1048576 + 32768'),
	'0', 'so was that of each backend');
is(query($observer, "SELECT count(*) FROM jemctx_backends WHERE refused > 0 AND backend_type = 'client backend'
	AND pid <> pg_backend_pid()"), '8', 'refusals are counted');

# New ones that hold what they got are refused by the server's limit, sooner or later.
my $holding =
  'BEGIN; DECLARE c CURSOR FOR SELECT g, md5(g::text) m FROM generate_series(1, 100000) g ORDER BY m; MOVE 1 IN c';
my @holders;
my $refused = '';
while ($refused eq '' && @holders < 12)
{
	push(@holders, session($node));
	query($holders[-1], '\set VERBOSITY verbose');
	$refused = query($holders[-1], $holding);
}
like($refused, $refusal, 'one too many is refused');
like(
	$refused,
	qr/DETAIL:  The server holds (?:1[5-9]|20)\d{4} kB/,
	'by the limit of the server, when it is nearly reached');
close_session($_) for @holders;

# Everything goes on: sessions, new connections, background processes.
is(query($_, 'SELECT 1'), '1', 'a session goes on') for @sessions;
is($node->safe_psql('postgres', 'CHECKPOINT; SELECT 2'), '2', 'new connections, checkpoints');
is(query($observer, 'SELECT memory_limit FROM jemctx_server'), 200 * 1048576, 'the limit is shown');

# Without enough for a connection one can still connect and look: but not grow.
$node->append_conf('postgresql.conf', "jemctx.server_memory_limit = '1MB'");
$node->reload;
ok(poll(sub { query($observer, 'SHOW jemctx.server_memory_limit') eq '1MB' }),
	'the limit is lowered below what is held');
my $newcomer = session($node);
like(query($newcomer, '\set VERBOSITY verbose'), qr/^$/, 'a newcomer connects');
like(
	query($newcomer, "SELECT length(repeat('x', 10000000))"),
	$refusal = qr/53200.*\n(?:LINE .*\n.*\n)?DETAIL:  The server holds/,
	'but takes no more');
$node->append_conf('postgresql.conf', 'jemctx.server_memory_limit = 0');
$node->reload;
ok(poll(sub { query($newcomer, 'SHOW jemctx.server_memory_limit') eq '0' }), 'the limit is lifted');
is(query($newcomer, "SELECT length(repeat('x', 10000000))"), '10000000', 'and the newcomer works');

is(query($observer, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
nobody_died($node);

# Near the limit nobody keeps what is unused.
query($observer, "ALTER SYSTEM SET jemctx.server_memory_limit = '200MB'");
query($observer, "ALTER SYSTEM SET jemctx.backend_memory_limit = 0");
query($observer, 'SELECT pg_reload_conf()');
ok(poll(sub { query($_, 'SHOW jemctx.server_memory_limit') eq '200MB' }), 'the limit is back') for @sessions[ 0 .. 3 ];
query($_, big_sorts()) for @sessions[ 0 .. 7 ];
ok( poll(
		sub {
			query($_,        'SELECT 1') for @sessions;
			query($observer, 'SELECT committed < 160000000 FROM jemctx_server') eq 't';
		}),
	'kept memory is returned near the limit');

# What idle processes keep is returned before another is refused memory.
query($observer, "ALTER SYSTEM SET jemctx.server_memory_limit = '1GB'");
query($observer, 'SELECT pg_reload_conf()');
ok(poll(sub { query($observer, 'SELECT pressure FROM jemctx_server') eq 'none' }), 'there is no pressure');
# They may still have been asked for what they keep, and then return it once more.
my ($others, $kept) = (join(', ', map { pid_of($_) } @sessions[ 0, 1 ]));
ok( poll(
		sub {
			query($_, big_sorts()) for @sessions[ 0, 1 ];
			$kept = query($observer, "SELECT sum(kept) FROM jemctx_backends WHERE pid IN ($others)");
			return $kept > 25e6;
		}),
	'two keep much') or diag $kept;
my $poor = session($node);
pid_of($poor);
# An odd number, so that SHOW says it in kB: what is committed are pages.
my $narrow = int(query($observer, 'SELECT committed FROM jemctx_server') / 1024) + 4097;
query($observer, "ALTER SYSTEM SET jemctx.server_memory_limit = '${narrow}kB'");
ok( poll(
		sub {
			query($observer, 'SELECT pg_reload_conf()');
			query($poor,     'SHOW jemctx.server_memory_limit') eq "${narrow}kB";
		}),
	'no room is left');
query($poor, '\set VERBOSITY verbose');
is(query($poor, "SELECT length(repeat('x', 20000000))"), '20000000', 'a statement has what others have kept');

# Namespaces count, too, and are refused what would be too much for the server.
query($observer, 'CREATE EXTENSION jemctx_test');
query($observer, "ALTER SYSTEM SET jemctx.server_memory_limit = 0");
ok( poll(
		sub { query($observer, 'SELECT pg_reload_conf()'); query($observer, 'SHOW jemctx.server_memory_limit') eq '0' }
	),
	'no limit');
query($observer, "SELECT jemctx_namespace_create('n')");
my $before = query($observer, 'SELECT committed FROM jemctx_server');
is(query($observer, "SELECT jemctx_test_ns_fill('n', 1000, 40000000)"), '40000000', 'a namespace is filled');
is(query($observer, "SELECT namespaces > 40000000, committed > $before + 40000000 FROM jemctx_server"),
	't|t', 'it counts');
my $limit = int(query($observer, 'SELECT committed FROM jemctx_server') / 1024) + 10240;
query($observer, "ALTER SYSTEM SET jemctx.server_memory_limit = '${limit}kB'");
ok( poll(
		sub { query($observer, 'SELECT pg_reload_conf()'); query($observer, 'SHOW jemctx.server_memory_limit') ne '0' }
	),
	'with a limit');
ok(poll(sub { my $filled = query($observer, "SELECT jemctx_test_ns_fill('n', 1000, 1000000)"); $filled < 1000000 }),
	'it is refused more');
cmp_ok(
	query($observer, 'SELECT committed FROM jemctx_server'),
	'<=',
	$limit * 1024 + 9 * 1048576,
	'and the limit is kept');
$node->stop;

done_testing();
