# Namespaces from the start of the server, and servers that cannot have any:
# settings that only a start can change.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

my $node = new_node('main');
my $list = q(SELECT string_agg(name || ':' || size_limit, ' ' ORDER BY name) FROM jemctx_namespaces);

# With namespaces.
$node->append_conf('postgresql.conf', "jemctx.namespaces = 'sessions:64MB, dictionary ,x y: 100'\n");
$node->start;
is(sql($node, $list), 'dictionary:0 sessions:67108864 x y:102400', 'the namespaces of the setting are there');
sql($node, q(CREATE EXTENSION jemctx_test; SELECT jemctx_test_ns_fill('sessions', 100, 1000)));
$node->restart;
is(sql($node, $list), 'dictionary:0 sessions:67108864 x y:102400', 'also after a restart');
is(sql($node, "SELECT jemctx_test_ns_check('sessions')"), 0, 'and empty');
$node->stop;

# Lists that are wrong: a server with one does not start, and ALTER SYSTEM takes none.
my @wrong = (
	[ 'a:', qr/"" is not a limit/ ], [ 'a:many', qr/"many" is not a limit/ ], [ 'a:-5', qr/"-5" is not a limit/ ],
	[ 'a,,b', qr/A name must have from 1 to 63 characters, all of them printable ASCII/ ],
	[ 'a:8MB, a:9MB', qr/"a" is in it twice/ ],
	[ 'x' x 64, qr/A name must have/ ], [ "caf\xc3\xa9", qr/A name must have/ ],
	[ join(',', 1 .. 65), qr/There can be 64 namespaces/ ]);

fails_to_start($node, "jemctx.namespaces = '$_->[0]'\n", "'$_->[0]'", qr/invalid list of namespaces/, $_->[1])
  for @wrong;

# So little memory that nothing would be in it.
fails_to_start($node, "jemctx.namespace_memory = '$_'\n", $_, qr/invalid value for parameter "jemctx.namespace_memory"/,
	qr/It must be 0, or at least 64 kB/) for qw(1kB 3kB 63kB);

# ALTER SYSTEM's answer to what the next start would refuse.
sub is_not_taken
{
	my ($setting, $value, $detail) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "ALTER SYSTEM SET $setting = '$value'");

	like(
		$err,
		qr/ERROR:  invalid value for parameter "$setting".*\nDETAIL:  .*$detail.*\nHINT: /,
		"$setting = '$value' is not taken");
	return;
}

$node->start;
is_not_taken('jemctx.namespaces', @$_) for @wrong;
is_not_taken('jemctx.namespace_memory', '3kB', qr/It must be 0, or at least 64 kB/);
is(sql($node, "ALTER SYSTEM SET jemctx.namespaces = 'a:8MB, b'"), '', 'a good list is taken');
sql($node, "ALTER SYSTEM SET jemctx.namespace_memory = '64kB'");
$node->restart;
is(sql($node, $list), 'a:8388608 b:0', 'and used at the next start');
is(sql($node, "SELECT jemctx_test_ns_fill('a', 100, 10000)"), 10000, 'in the least memory there is room');
sql($node, 'ALTER SYSTEM RESET ALL');
$node->stop;

# No namespaces, and why.
sub unavailable
{
	my ($conf, $detail, $hint) = @_;
	my $what = $conf =~ s/\n//gr;

	$node->append_conf('postgresql.conf', $conf);
	unlink $node->logfile;
	$node->start;
	ok($node->wait_for_log(qr/WARNING:  namespaces are not available\n.*DETAIL:  $detail\n.*HINT:  $hint/),
		"$what: whoever has set jemctx.namespaces is told");
	for my $sql ("jemctx_namespace_create('b')", "jemctx_namespace_drop('a')", "jemctx_test_ns_check('a')")
	{
		my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT $sql");
		like($err, qr/ERROR:  55000: namespaces are not available\nDETAIL:  $detail\nHINT:  $hint/, "$what: $sql");
	}
	is(sql($node, 'SELECT count(*) FROM jemctx_namespaces'), 0, "$what: the view is empty");
	is(sql($node, "SELECT value FROM jemctx_info WHERE name = 'region_size'"), 0, "$what: there is no region");
	ok(!defined find_keeper($node), "$what: there is no keeper");
	$node->stop;
}

unavailable(
	"max_worker_processes = 0\n",
	'No background worker was free for the keeper.',
	'Increase max_worker_processes.');
unavailable(
	"max_worker_processes = 8\njemctx.namespace_memory = 0\n",
	'They have no memory.',
	'Set jemctx.namespace_memory.');

# A region of the smallest size, and a large one.
$node->append_conf('postgresql.conf', "jemctx.namespace_memory = '4MB'\n");
$node->start;
cmp_ok(sql($node, "SELECT jemctx_test_ns_fill('sessions', 100, 100000000)"), '>', 2.5e6,
	'a small region can be filled');
my ($status, $out, $err) = $node->psql('postgres', "SELECT jemctx_test_ns_no_memory('sessions', 100000)");
my $holds = qr/Namespace "sessions" holds \d+ kB, asked for 98 kB more, and may have 4096 kB\./;
like($err, qr/out of memory in namespace "sessions"\nDETAIL:  $holds/,
	'a region that is full says so');
($status, $out, $err) = $node->psql('postgres', "SELECT jemctx_test_ns_no_memory('dictionary', 900000)");
$holds = qr/Namespace "dictionary" holds \d+ kB and asked for 879 kB more\./;
like($err,
	qr/out of memory in namespace "dictionary"\nDETAIL:  $holds\nHINT:  All namespaces share jemctx.namespace_memory/,
	'no limit is named that has not refused it');
is(sql($node, "SELECT jemctx_test_ns_check('sessions') = jemctx_test_ns_drain('sessions')"),
	't', 'and keeps what it has');
is(sql($node, "SELECT jemctx_test_ns_fill('dictionary', 100, 1500000)"), 1500000, 'another namespace can have it then');
$node->stop;
$node->append_conf('postgresql.conf', "jemctx.namespace_memory = '64GB'\n");
$node->start;
is(sql($node, "SELECT jemctx_test_ns_fill('dictionary', 100, 1000000)"),
	1000000, 'a region may be larger than the machine');
$node->stop;

# With jemalloc beside the system's malloc.
$node->append_conf('postgresql.conf', "jemctx.namespace_memory = '1GB'\njemctx.process_malloc = system\n");
$node->start;
is(sql($node, "SELECT jemctx_test_ns_fill('dictionary', 100, 1000000), jemctx_test_ns_check('dictionary')"),
	'1000000|10000', 'namespaces do not need malloc to be jemalloc');
$node->stop;

# Standalone.
my ($stdout, $stderr) = ('', '');
IPC::Run::run([ 'postgres', '--single', '-D', $node->data_dir, 'postgres' ],
	'<', \"SELECT jemctx_namespace_create('b');\n", '>', \$stdout, '2>', \$stderr);
like(
	$stderr,
	qr/namespaces are not available.*A standalone backend has no background workers/s,
	'a standalone backend says so');

done_testing();
