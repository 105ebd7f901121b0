# The keeper finds no pages, may not commit any, cannot have them removed: allocations may
# be refused, and nothing else; memory that is to be zero is.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

use_variant('checking');
my $node = namespace_node('main');
my $work = q(SELECT jemctx_test_ns_fill('a', 100, 1000000) + jemctx_test_ns_fill('a', 3000, 3000000)
	+ jemctx_test_ns_fill('a', 50000, 5000000));

# What a process has had of the processor, in hundredths of a second.
sub processor_ticks
{
	my ($pid) = @_;
	my (undef, @fields) = split / /, slurp_file("/proc/$pid/stat") =~ s/.*\)//r;

	return $fields[11] + $fields[12];
}

# A name that nobody has would be a test of nothing.
ok(!eval { fault($node, 'allocate', 1); 1 }, 'failures have names');
like($@, qr/no such failpoint: allocate/, 'and no others');

# Whatever one failure does, what there is is whole, and goes.
for my $fault (qw(alloc commit remove))
{
	for my $countdown (1, 5)
	{
		my $what = "$fault fails at call $countdown";

		fault($node, $fault, $countdown);
		cmp_ok(sql($node, $work), '>', 3e6, "$what: most is there");
		is(sql($node, "SELECT jemctx_test_ns_check('a') = jemctx_test_ns_drain('a')"), 't',
			"$what: all of it is whole");
		sql($node, "SELECT jemctx_test_ns_zero('a')");
		wait_for_figure(
			$node,
			'cached = 0 AND objects = 0 AND allocated + cached + free = committed',
			"$what: nothing is left");
		fault($node, $fault, 0);
	}
	is(sql($node, $work), 9000000, "$fault: it works again");
	sql($node, "SELECT jemctx_namespace_reset('a')");
}

# Pages that the kernel does not take back are neither lost nor taken for zeros.
for my $countdown (1 .. 4)
{
	fault($node, 'remove', $countdown);
	is(sql($node, "SELECT jemctx_test_ns_fill('a', 100000, 20000000)"),
		20000000, "remove fails at call $countdown: filled");
	sql($node, "SELECT jemctx_test_ns_drain('a')");
	sql($node, "SELECT jemctx_namespace_reset('a')");
	sql($node, "SELECT jemctx_test_ns_zero('a')");
	pass("remove fails at call $countdown: memory that is to be zero is");
	fault($node, 'remove', 0);
}

# Pages that the kernel never takes back: the keeper does not try them for ever, but serves, and leaves the
# processor to others; and when the kernel takes them again, they go.
{
	my $session = open_session($node);
	my $keeper = keeper_pid($node);

	wait_for_figure($node, 'committed < 2000000', 'nothing is left of that');
	fault($node, 'remove', -1);
	is(ask($session, "SELECT jemctx_test_ns_fill('a', 100000, 20000000), jemctx_test_ns_drain('a') > 0"),
		'20000000|t', 'nothing can be removed: filled, and free again');
	is(ask($session, 'SELECT jemctx_purge_all() < 1000000000'), 't', 'a purge is answered');
	is(ask($session, "SELECT jemctx_test_ns_fill('a', 5000, 5000000), jemctx_test_ns_drain('a') > 0"),
		'5000000|t', 'and who wants memory');
	cmp_ok(figure($node, 'committed'), '<', 2000000, 'the namespace does not hold the pages');
	cmp_ok(sql($node, 'SELECT namespaces FROM jemctx_server'), '>', 15000000, 'and they are counted');
	my $before = processor_ticks($keeper);
	ask($session, 'SELECT pg_sleep(2)');
	my $ticks = processor_ticks($keeper) - $before;
	note "the keeper takes $ticks of 200 ticks";
	cmp_ok($ticks, '<', 20, 'the keeper is at rest');
	fault($node, 'remove', 0);
	ok($node->poll_query_until('postgres', 'SELECT namespaces < 5000000 FROM jemctx_server'), 'now they go');
	close_session($session);
}

# What was purged, and reused as large objects that must be zero.
for my $round (1 .. 3)
{
	sql($node, "SELECT jemctx_test_ns_fill('a', 200000, 30000000), jemctx_test_ns_drain('a')");
	wait_for_figure($node, 'committed < 2000000', "round $round: purged");
	sql($node, "SELECT jemctx_test_ns_zero('a')");
	pass("round $round: memory that is to be zero is");
}
$node->stop;

done_testing();
