# Sessions that hand objects of all sizes to each other, for a while; nothing
# may be lost, and what is freed goes back.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

my $node = namespace_node('main');
my @sessions = map { open_session($node) } 1 .. 4;
my $kept;

for my $round (1 .. 3)
{
	ask($sessions[0], "SELECT jemctx_test_ns_torture_begin('a')");
	for my $i (0 .. $#sessions)
	{
		send_query($sessions[$i], "SELECT jemctx_test_ns_torture('a', " . ($round * 10 + $i) . ', 150000)');
	}
	for my $session (@sessions)
	{
		unlike(answer($session), qr/ERROR|FATAL|closed/, "round $round: a session finds everything as it was left");
	}
	adds_up($node, "round $round");
	cmp_ok(ask($sessions[$round], "SELECT jemctx_test_ns_torture_end('a')"),
		'>', 1000, "round $round: objects were left");
	is(figure($node, 'objects || \' \' || allocated'), '0 0', "round $round: and all are freed");
	is(ask($sessions[0], "SELECT jemctx_test_ns_sizes('a')"), '', "round $round: all sizes");
	wait_for_figure(
		$node,
		'cached = 0 AND committed < 1200000 AND resident < 1200000',
		"round $round: memory goes back");
	$kept //= figure($node, 'mapped');
}
cmp_ok(figure($node, 'mapped'), '<=', $kept + 4 * 1024 * 1024, 'its address space does not grow');

# When the sizes in use change, slabs that are not full drain and go over to
# the other sizes.
my $live = ask($sessions[0], "SELECT jemctx_test_ns_shift('a')");
cmp_ok($live, '>', 8e6, 'objects of other sizes than at first');
is(figure($node, 'allocated'), $live, 'are what there is');
cmp_ok(figure($node, 'active'), '<=', 1.3 * $live, 'in pages that are nearly full');
ask($sessions[0], "SELECT jemctx_namespace_reset('a')");
close_session($_) for @sessions;
$node->stop;

done_testing();
