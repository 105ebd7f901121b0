# Others act between two steps of a call, in a checking build: what was looked up
# is not what it was, and memory is somebody else's.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

use_variant('checking');
my $node = namespace_node('main');
my ($one, $two) = map { open_session($node) } 1 .. 2;

query($one, '\set VERBOSITY terse');

# A name was looked up: when another namespace has the slot it is not that one.
for my $deed ('reset', 'drop')
{
	for my $next ('b', 'a')
	{
		my $answer = in_pause($node, 'pause_after_look_up', $one, "SELECT jemctx_namespace_$deed('a')", sub {
			ask($two, "SELECT jemctx_namespace_drop('a'), jemctx_namespace_create('$next'),
				jemctx_test_ns_fill('$next', 100, 1000)");
		});

		# as with a table, it is the new one's turn if it has the name
		is($answer, $next eq 'a' ? '' : 'ERROR:  namespace "a" does not exist', "$deed of a dropped namespace");
		is(sql($node, 'SELECT name, objects FROM jemctx_namespaces'),
			$next eq 'b' ? 'b|10' : $deed eq 'reset' ? 'a|0' : '', "when $next is in its place");
		sql($node, "SELECT jemctx_namespace_drop(name) FROM jemctx_namespaces; SELECT jemctx_namespace_create('a')");
	}
}

# A handle is got of what was looked up: not of the next in the slot.
my $answer = in_pause($node, 'pause_after_look_up', $one, "SELECT jemctx_test_ns_fill('a', 100, 500)", sub {
	ask($two, "SELECT jemctx_namespace_drop('a'), jemctx_namespace_create('b'), jemctx_test_ns_fill('b', 100, 1000)");
});
is($answer, 'ERROR:  namespace "a" was dropped', 'a handle of a dropped namespace');
is(sql($node, 'SELECT name, objects FROM jemctx_namespaces'), 'b|10', 'is none of the next');
sql($node, "SELECT jemctx_namespace_drop('b'), jemctx_namespace_create('a')");

# A large object is being cleared when a reset takes it, and others get the memory: it has their data.
# The second reset waits until what the first took is free.
$answer = in_pause($node, 'pause_in_clear', $one, "SELECT jemctx_test_ns_zero_again('a', 400000, 100)", sub {
	ask($two, "SELECT jemctx_namespace_reset('a'), jemctx_namespace_reset('a')");
	is(ask($two, "SELECT jemctx_test_ns_fill('a', 390000, 3900000)"),
		3900000, 'what was being cleared is reset, and used by others');
});
is($answer, '', 'who has cleared it gets another object');
is(ask($two, "SELECT jemctx_test_ns_check('a')"), 10, 'and they have what is theirs');
close_session($_) for $one, $two;
adds_up($node, 'after it');

$node->stop;

done_testing();
