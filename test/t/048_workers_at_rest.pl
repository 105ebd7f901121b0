# A background worker that runs no transactions, and waits, gives back what it keeps of a
# namespace.  pg_regress has no such workers.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

my $node = namespace_node('main');

is(figure($node, 'fills + flushes'), 0, 'a new namespace has not been used');
my $worker = sql($node, "SELECT jemctx_test_ns_worker('a')");
wait_for_figure($node, 'fills > 0', 'a worker uses objects');
wait_for_figure($node, 'cached = 0 AND objects = 0', 'while it rests it keeps none');
ok(kill(0, $worker), 'and lives');
kill 'TERM', $worker;
ok(poll(sub { !kill 0, $worker }), 'until it is ended');

# The next namespace in a slot is not the one before.
sql($node, "SELECT jemctx_namespace_drop('a'), jemctx_namespace_create('a')");
is(figure($node, 'fills + flushes + refused'), 0, 'nothing is counted of the namespace before');
$node->stop;

done_testing();
