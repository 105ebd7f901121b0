# Regions far larger than the machine: what is looked at goes by what is used,
# and no more is promised than there is.  Only a start can change the region.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use JemctxTest;
use NamespaceTest;

sub meminfo
{
	my ($field) = @_;
	my ($kb) = slurp_file('/proc/meminfo') =~ /^$field: +(\d+) kB/m;

	return $kb * 1024;
}

my $node = namespace_node('main');

# Bytes of the page map and the region that are in memory.
sub shared_memory
{
	my ($session) = @_;
	my $bytes = 0;

	for my $mapping (
		slurp_file("/proc/$session->{pid}/smaps") =~ m{^[0-9a-f]+-[0-9a-f]+ rw-s.*?(?:/dev/zero|/memfd:).*?^VmFlags}msg)
	{
		$bytes += 1024 * $1 if $mapping =~ /^Rss: +(\d+) kB/m;
	}
	return $bytes;
}

# The best of three, as other work may come between.
sub seconds
{
	my ($session, $sql) = @_;
	my $best = 1e9;

	for my $try (1 .. 3)
	{
		my $start = time;

		ask($session, $sql);
		$best = time - $start if time - $start < $best;
	}
	return $best;
}

for my $memory ('256GB', '2147483647kB')
{
	$node->stop;
	$node->append_conf('postgresql.conf', "jemctx.namespace_memory = '$memory'\n");
	$node->start;
	sql($node, "SELECT jemctx_namespace_create(name) FROM unnest('{a,b,c}'::text[]) name");

	my $session = open_session($node);
	my $before = shared_memory($session);

	ask($session, 'SELECT * FROM jemctx_namespaces');
	cmp_ok(seconds($session, 'SELECT * FROM jemctx_namespaces'), '<', 0.5,
		"$memory: the view of nothing takes no time");
	cmp_ok(seconds($session, "SELECT jemctx_namespace_reset('a')"), '<', 0.5, "$memory: nor a reset");
	cmp_ok(shared_memory($session) - $before, '<', 10e6, "$memory: nor memory");

	is(ask($session, "SELECT jemctx_test_ns_fill('a', 100, 50000000)"), 50000000, "$memory: objects");
	is(ask($session, "SELECT jemctx_test_ns_fill('a', 100000, 50000000)"), 50000000, "$memory: large objects");
	is(figure($node, 'resident BETWEEN 100e6 AND committed'), 't', "$memory: are resident");
	cmp_ok(seconds($session, 'SELECT * FROM jemctx_namespaces'), '<', 0.5, "$memory: the view of them takes no time");
	is(ask($session, "SELECT jemctx_test_ns_check('a') = jemctx_test_ns_drain('a')"), 't', "$memory: and whole");
	wait_for_figure($node, 'resident < 1000000', "$memory: memory goes back");

	# a fast shutdown while somebody looks
	send_query($session,
		'SELECT count(*) FROM generate_series(1, 10000000), jemctx_get_namespaces() f WHERE f IS NULL');
	$node->stop('fast');
	pass("$memory: a look does not keep the server from stopping");
	eval { $session->{psql}->finish };
	$node->start;
	sql($node, "SELECT jemctx_namespace_create('a')");
}

# Objects that nobody has touched: the machine has their memory still, and will need it.  Others on
# the machine may give back or take some meanwhile.
my $available = meminfo('MemAvailable');
my $granted = sql($node, "SELECT jemctx_test_ns_grab('a', 100000000, (2.0 * $available)::bigint)");
cmp_ok($granted, '<', 1.3 * $available, 'no more is granted than is available');
cmp_ok($granted, '>', 0.5 * $available, 'but much of that');
sql($node, "SELECT jemctx_namespace_reset('a')");
cmp_ok(
	sql($node, "SELECT jemctx_test_ns_grab('a', 100000000, (0.5 * $available)::bigint)"),
	">",
	0.4 * $available,
	"and again after a reset");
$node->stop;

# Limits on the size of files on disks do not matter.
{
	my $log = $node->logfile;
	my $directory = $node->data_dir;

	system_or_bail('bash', '-c', "ulimit -S -f 200000; pg_ctl -s -w -D '$directory' -l '$log' start");
	wait_until_accepts($node);
	sql($node, "SELECT jemctx_namespace_create('a')");
	cmp_ok(sql($node, "SELECT jemctx_test_ns_grab('a', 100000000, (2.0 * $available)::bigint)"), '<', 1.3 * $available,
		'a limit on files: no more is granted than is available');
	system_or_bail('pg_ctl', '-s', '-w', '-m', 'immediate', '-D', $directory, 'stop');
}

done_testing();
