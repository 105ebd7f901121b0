# The arenas' figures against what the kernel says the process holds, which
# is not the same twice and so nothing for an expected file.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main',
	"jit = off\nmax_parallel_workers_per_gather = 0\njemctx.dirty_decay = -1\njemctx.idle_purge_after = -1\n");
$node->start;

# A setting of 100 MB is kept as a string by malloc.
my $look = q(
	SELECT (regexp_match(pg_read_file('/proc/self/smaps_rollup'), 'Anonymous: +(\d+)'))[1]::bigint * 1024,
		(SELECT sum(resident) FROM jemctx_arenas),
		(SELECT bool_and(committed = active + dirty) FROM jemctx_arenas);
);
my $out = $node->safe_psql('postgres', qq(
	SELECT jemctx_purge() >= 0;
	$look
	SELECT length(set_config('my.text', repeat('x', 100000000), false));
	SELECT jemctx_purge() > 50e6;
	$look
	SELECT set_config('my.text', '', false);
	SELECT jemctx_purge() > 50e6;
	$look
));
my @lines = split /\n/, $out;
is(scalar @lines, 8, 'all statements answered') or diag $out;
my ($before, $during, $after) = map { [ split /\|/, $lines[$_] ] } 1, 4, 7;
my $kernel = $during->[0] - $before->[0];
my $ours = $during->[1] - $before->[1];

cmp_ok($kernel, '>', 50e6, 'the session holds memory');
cmp_ok(abs($kernel - $ours), '<', 0.1 * $kernel, "resident grows as the kernel says, within 10 % ($kernel, $ours)");
is($lines[6], 't', 'a purge gives it back');
cmp_ok($after->[0] - $before->[0], '<', 0.05 * $kernel, 'the kernel has it back');
cmp_ok($after->[1] - $before->[1], '<', 0.05 * $kernel, 'and the arenas say so');
is(join(',', map { $_->[2] } $before, $during, $after), 't,t,t', 'committed is exact at each point');
$node->stop;

done_testing();
