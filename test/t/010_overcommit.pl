# A kernel that does not overcommit charges every accessible page.  The mode
# is the whole machine's, so the runner sets it, and pg_regress cannot.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

plan skip_all => 'needs vm.overcommit_memory = 2'
  unless slurp_file('/proc/sys/vm/overcommit_memory') =~ /^2/;

my $node = new_node('main', "shared_buffers = 16MB\njit = off\nmax_parallel_workers_per_gather = 0\n");

$node->start;
is(info($node, 'overcommit'), 'off', 'the mode is known');
committed_is_exact($node, 'at start');

# What is not committed must not be charged: it is mapped without access.
my $charged = q(SELECT (regexp_match(pg_read_file('/proc/self/status'), 'VmData:\s+(\d+)'))[1]::bigint * 1024);
my $sort = "SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 300000) g ORDER BY m) s";
my @lines = split /\n/, $node->safe_psql('postgres', qq(
	SET work_mem = '64MB';
	$sort;
	$sort;
	$sort;
	$charged;
	SELECT jemctx_purge();
	$charged;
	$sort;
));
is(join(' ', splice(@lines, 0, 3)), '300000 300000 300000', 'sorts work, and what they need is kept');
cmp_ok($lines[1], '>', 20e6, 'a purge gives much back');
cmp_ok($lines[0] - $lines[2], '>', 0.9 * $lines[1], "and uncharges it ($lines[1])");
is($lines[3], '300000', 'and the memory can be had again');

# What the machine has promised to all processes, and what it may promise, in kB.
sub promised
{
	return slurp_file('/proc/meminfo') =~ /^CommitLimit:\s+(\d+).*^Committed_AS:\s+(\d+)/ms
	  ? ($2, $1)
	  : die 'no Committed_AS';
}

# Running out of memory is an ordinary error.
my ($before, $most) = promised();
my ($code, $out, $err) = $node->psql('postgres', q(
	SET work_mem = '2000GB';
	SELECT array_length(array_agg(repeat('x', 1000000)), 1) FROM generate_series(1, 100000);
	SELECT 'goes on';
), on_error_stop => 0);
like($err, qr/ERROR:  out of memory/, 'out of memory is an error');
is($out, 'goes on', 'and the session goes on');
ok(poll(sub { (promised())[0] < ($before + $most) / 2 }), 'it comes back when the session ends');
committed_is_exact($node, 'afterwards');

# A region is charged as a whole, whether it is used or not.
$node->safe_psql('postgres', q(CREATE EXTENSION jemctx_test; SELECT jemctx_namespace_create('n')));
is($node->safe_psql('postgres', q(SELECT jemctx_test_ns_fill('n', 1000, 20000000))),
	'20000000', 'namespaces can be used');
$node->stop;
$node->append_conf('postgresql.conf', "jemctx.namespace_memory = '1TB'\n");
unlink $node->logfile;
$node->start;
like(slurp_file($node->logfile),
	qr/WARNING:  namespaces are not available: Cannot allocate memory\n.*DETAIL:  The kernel refused to map/,
	'a region that is too large is refused when the server starts');
($code, $out, $err) = $node->psql('postgres', q(SELECT jemctx_namespace_create('n')));
like(
	$err,
	qr/The kernel refused to map their memory.*\nHINT:  Lower jemctx.namespace_memory/,
	'and whoever wants a namespace is told');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server works');
$node->stop;

done_testing();
