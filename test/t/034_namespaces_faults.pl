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
