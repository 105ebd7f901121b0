# The figures of a namespace in every look, while sessions allocate and free as
# fast as they can and others reset it: pg_regress has one session.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

my $node = namespace_node('main');
my @busy = map { open_session($node) } 1 .. 3;
my $observer = open_session($node);
my %seen;

sql($node, "SELECT jemctx_namespace_create('b')");
ask($busy[0], "SELECT jemctx_test_ns_torture_begin('a')");
send_query($busy[$_], "SELECT jemctx_test_ns_torture('a', $_, 300000)") for 0, 1;
send_query($busy[2], q(
	DO $$
	BEGIN
		FOR i IN 1 .. 200 LOOP
			PERFORM jemctx_test_ns_fill('b', 100 + i % 7 * 3000, 5000000), jemctx_test_ns_drain('b', 500);
			PERFORM jemctx_namespace_reset('b');
		END LOOP;
	END $$));
do
{
	$seen{ask($observer, q(
		SELECT count(*) FILTER (WHERE allocated + cached + free <> committed),
			count(*) FILTER (WHERE least(allocated, cached, free, committed, active, resident, mapped,
				objects, fills, flushes) < 0),
			count(*) FILTER (WHERE allocated > active OR active > committed
				OR mapped <> committed OR resident > committed), count(*)
		FROM generate_series(1, 500) i, LATERAL (SELECT i, * FROM jemctx_get_namespaces()) f))}++;
} until (!grep { !is_answered($_) } @busy);
is(join(' ', keys %seen), '0|0|0|1000', 'looks while others work: no figure is negative, and all add up');
unlike(answer($_), qr/ERROR|FATAL|closed/, 'a session has worked') for @busy;

# A namespace begins with nothing, also in a slot that another has had.
is(figure($node, 'fills > 0 AND flushes > 0', 'b'), 't', 'counts of a namespace');
sql($node, "SELECT jemctx_namespace_reset('b')");
is(figure($node, 'fills > 0 AND flushes > 0', 'b'), 't', 'stay over a reset');
sql($node, "SELECT jemctx_namespace_drop('b')");
sql($node, "SELECT jemctx_namespace_create('c')");
is(figure($node, 'fills + flushes + objects + refused + committed', 'c'), 0, 'and are not those of the next');
close_session($_) for @busy, $observer;
$node->stop;

done_testing();
