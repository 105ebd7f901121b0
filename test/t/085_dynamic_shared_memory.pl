# The dynamic shared memory of a server is what the kernel says that its processes have mapped, of
# whatever type it is, also beside other servers.  It takes two sessions to see it while it is there.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $segment = qr{^([0-9a-f]+)-([0-9a-f]+) .* (/dev/shm/PostgreSQL\.\d+|\S*/pg_dynshmem/mmap\.\d+|/SYSV[0-9a-f]+)}m;
my $page = 4096;

# The sizes of the segments that a process has mapped, by name; none of one that has ended.
sub segments_of
{
	my ($pid) = @_;
	my %sizes;

	open(my $file, '<', "/proc/$pid/maps") or return;
	my $maps = join '', <$file>;
	$sizes{$3} = hex($2) - hex($1) while $maps =~ /$segment/g;
	return %sizes;
}

# Those that any process has but the postmaster, whose own are the list of segments and what is no
# dynamic shared memory: their sum, in whole pages, and how many they are.
sub mapped
{
	my ($node) = @_;
	my $postmaster = postmaster_pid($node);
	my %sizes = map { segments_of($_) } split ' ', slurp_file("/proc/$postmaster/task/$postmaster/children");
	my %own = segments_of($postmaster);
	my $sum = 0;

	delete @sizes{ keys %own };
	$sum += $_ for values %sizes;
	return ($sum, scalar keys %sizes);
}

sub is_what_is_mapped
{
	my ($node, $observer, $what) = @_;
	my $shown = query($observer, 'SELECT dynamic_shared_memory FROM jemctx_server');
	my ($sum, $count) = mapped($node);

	note "$what: shown $shown, mapped $sum in $count segments";
	cmp_ok($shown, '<=', $sum, "$what: no more is shown than is mapped");
	cmp_ok($sum - $shown, '<', $count * $page + 1, "$what: and no less, but for whole pages");
	return $shown;
}

my $node = new_node('main', <<'CONF');
jit = off
work_mem = '64MB'
max_parallel_workers_per_gather = 2
parallel_setup_cost = 0
parallel_tuple_cost = 0
min_parallel_table_scan_size = 0
CONF
my $join = 'SELECT n, pg_advisory_lock(1) FROM (SELECT count(*) AS n FROM big a JOIN big b USING (g)) s';

$node->start;
$node->safe_psql('postgres', 'CREATE TABLE big AS SELECT g FROM generate_series(1, 100000) g; ANALYZE big');
like($node->safe_psql('postgres', "EXPLAIN $join"), qr/Parallel Hash Join/, 'the workers share a hash table');
$node->stop;
for my $type ('posix', 'mmap', 'sysv')
{
	$node->append_conf('postgresql.conf', "dynamic_shared_memory_type = $type\n");
	$node->start;
	my ($observer, $session) = (session($node), session($node));
	my $pid = pid_of($session);
	my $before = is_what_is_mapped($node, $observer, "$type, no parallel query");

	# The leader waits when it has all that the workers have found; the segments are there until it ends.
	query($observer, 'SELECT pg_advisory_lock(1)');
	send_query($session, $join);
	ok(poll(sub { query($observer, "SELECT wait_event FROM pg_stat_activity WHERE pid = $pid") eq 'advisory' }),
		"$type: a parallel query");
	my $during = is_what_is_mapped($node, $observer, "$type, a parallel query");
	cmp_ok($during - $before, '>', 1e6, "$type: has a hash table");
	query($observer, 'SELECT pg_advisory_unlock(1)');
	like(answer($session), qr/^100000\|/, "$type: the query ends");
	ok(poll(sub { query($observer, 'SELECT dynamic_shared_memory FROM jemctx_server') < $during - 1e6 }),
		"$type: and its segments have gone");
	close_session($_) for $observer, $session;
	$node->stop;
}

done_testing();
