# Several sessions use a namespace, and reset and drop it under each other's
# hands: pg_regress has one session.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

my $node = namespace_node('main', "max_connections = 220\n");
my ($one, $two) = map { open_session($node) } 1 .. 2;

# What one has written the other reads and frees.
is(ask($one, "SELECT jemctx_test_ns_fill('a', 200, 200000)"), 200000, 'one writes');
is(ask($two, "SELECT jemctx_test_ns_drain('a')"), 1000, 'the other reads and frees');
is(figure($node, 'objects'), 0, 'nothing is left');

# What a session keeps while it is idle goes back without its doing.
cmp_ok(figure($node, 'cached + 1'), '>', 1, 'sessions keep free objects');
wait_for_figure($node, 'cached = 0', 'until they are idle');
adds_up($node, 'idle sessions');
wait_for_figure($node, 'committed < 1000000 AND resident < 1000000', 'memory has gone back');

# Idle in a transaction, a session keeps them until that ends.
ask($one, 'BEGIN');
ask($one, "SELECT jemctx_test_ns_fill('a', 200, 200000), jemctx_test_ns_drain('a')");
ask($two, 'SELECT pg_sleep(1.5)');
cmp_ok(figure($node, 'cached'), '>', 0, 'in a transaction it keeps them');
ask($one, 'COMMIT');
wait_for_figure($node, 'cached = 0', 'at its end it does not');

# A reset under use.
is(ask($one, "SELECT jemctx_test_ns_stale('a', 'keep')"), 0, 'one has an object');
ask($two, "SELECT jemctx_namespace_reset('a')");
is(ask($one, "SELECT jemctx_test_ns_stale('a', 'look')"), 0, 'its memory is still there, and empty');
like(
	ask($one, "SELECT jemctx_test_ns_stale('a', 'free')"),
	qr/^ERROR: .* is not an object in use of namespace "a"/,
	'the object is not');
is(ask($one, "SELECT jemctx_test_ns_stale('a', 'allocate')"), 0, 'the namespace goes on');
is(figure($node, 'objects'), 1, 'with one object');

# A drop under use, with another namespace in its place.
ask($two, "SELECT jemctx_namespace_drop('a')");
ask($two, "SELECT jemctx_namespace_create('b')");
for my $what (qw(allocate free root))
{
	is( ask($one, "SELECT jemctx_test_ns_stale('a', '$what')"),
		'ERROR: namespace "a" was dropped',
		"$what in a dropped namespace");
}
is(ask($one, "SELECT jemctx_test_ns_fill('b', 200, 200000)"), 200000, 'the other namespace is another');
like(
	ask($one, "SELECT jemctx_test_ns_stale('b', 'free in it')"),
	qr/^ERROR: .* is not an object in use of namespace "b"/,
	'an object of the old is none of the new');
is(ask($one, "SELECT jemctx_test_ns_check('b')"), 1000, 'which is whole');
ask($two, "SELECT jemctx_namespace_drop('b')");
ask($two, "SELECT jemctx_namespace_create('a')");

# Resets and drops while others allocate as fast as they can.
my @busy = map { open_session($node) } 1 .. 3;
send_query($_, q(
	DO $$
	BEGIN
		FOR i IN 1 .. 300 LOOP
			BEGIN
				PERFORM jemctx_test_ns_stale('a', 'keep');
				FOR j IN 1 .. 20 LOOP
					PERFORM jemctx_test_ns_stale('a', 'allocate');
				END LOOP;
			EXCEPTION WHEN undefined_object OR invalid_parameter_value THEN
				NULL;
			END;
		END LOOP;
	END $$;)) for @busy;
for my $round (1 .. 100)
{
	ask($two, "SELECT jemctx_namespace_reset('a')");
	ask($two, "SELECT jemctx_namespace_drop('a')") if $round % 3 == 0;
	ask($two, "SELECT jemctx_namespace_create('a')") if $round % 3 == 0;
	$_->{psql}->pump_nb for @busy;
}
for my $session (@busy)
{
	is(answer($session), '', 'a session lives through resets and drops');
	close_session($session);
}
ask($two, "SELECT jemctx_namespace_reset('a')");
wait_for_figure($node, 'objects + committed = 0', 'nothing is left');
is(ask($two, "SELECT jemctx_test_ns_sizes('a')"), '', 'and it works');
adds_up($node, 'after resets and drops');

# 200 sessions come, use a limited namespace, stay idle; then go.
ask($two, "SELECT jemctx_namespace_set_limit('a', 64 * 1024 * 1024)");
my @many = map { open_session($node) } 1 .. 200;
my $live = 0;
for my $session (@many)
{
	my $filled = ask($session, "SELECT jemctx_test_ns_fill('a', 264, 150000) + jemctx_test_ns_fill('a', 1000, 150000)");
	last if $filled !~ /^\d+$/ || $filled < 299000;
	$live += $filled;
}
cmp_ok($live, '>', 0.88 * 64 * 1024 * 1024, '200 sessions, and no refusal before most of the limit is live')
  or diag $live;
cmp_ok(figure($node, 'committed - size_limit'), '<=', 0, 'the limit is kept');
close_session($_) for @many;
$node->poll_query_until('postgres', q(SELECT count(*) < 5 FROM pg_stat_activity WHERE backend_type = 'client backend'))
  or die;
wait_for_figure($node, 'cached = 0', 'they leave nothing in their magazines');
cmp_ok(ask($two, "SELECT jemctx_test_ns_check('a')"), '>', 50000, 'and everything in the namespace');
ask($two, "SELECT jemctx_test_ns_drain('a')");
wait_for_figure($node, 'committed < 2000000 AND resident < 2000000', 'which goes back');
adds_up($node, 'after 200 sessions');

# A parallel query whose workers read it.
ask($two, "SELECT jemctx_test_ns_fill('a', 200, 200000)");
is(ask($two, q(SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	CREATE TABLE t AS SELECT i FROM generate_series(1, 20000) i; ANALYZE t;
	SELECT sum(jemctx_test_ns_check('a')) FROM t WHERE i % 1000 = 0)), 20000, 'parallel workers read it');
close_session($_) for $one, $two;
$node->stop;

done_testing();
