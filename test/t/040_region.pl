# The region of all namespaces after much use: there is no memory in it that
# nobody can have, and nobody is refused what others do not use.  pg_regress
# would have to take a region that other tests have used.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

# 100,000 and more are for who has the time.
my $rounds = $ENV{JEMCTX_REGION_ROUNDS} // 10000;
my $region = 1024 * 1024 * 1024;
my $node = namespace_node('main', "jemctx.namespace_memory = '1GB'\n");

# All but a tenth of the region can be had as one object.
sub whole
{
	my ($what) = @_;

	is(sql($node, "SELECT jemctx_test_ns_grant('a', " . int(0.9 * $region) . ')'),
		't', "$what: 90 % of the region in one piece");
	return;
}

whole('at first');
is(sql($node, "SELECT jemctx_test_ns_replace('a', 1500)"), 0, 'large objects replaced at random: none is refused');
whole('after large objects');

# A small namespace beside another, reset and dropped again and again.
sql($node, "SELECT jemctx_test_ns_fill('a', 1000, 100000)");
sql($node, q(DO $$
	BEGIN
		PERFORM jemctx_namespace_create('b');
		FOR i IN 1 .. 1600 LOOP
			PERFORM jemctx_test_ns_fill('b', 10000 + i % 50 * 1000, 1000000);
			IF i % 2 = 0 THEN
				PERFORM jemctx_namespace_reset('b');
			ELSE
				PERFORM jemctx_namespace_drop('b');
				PERFORM jemctx_namespace_create('b');
			END IF;
		END LOOP;
		PERFORM jemctx_namespace_drop('b');
	END $$));
whole('after 1,600 resets and drops');
is(sql($node, "SELECT jemctx_test_ns_check('a')"), 100, 'and the other namespace is as it was');

# Small objects of many namespaces at a time.
sql($node, q(SELECT jemctx_namespace_create('n' || i) FROM generate_series(1, 21) i));
sql($node, q(SELECT jemctx_test_ns_fill('n' || j % 21 + 1, 100 + i, 500000)
	FROM generate_series(1, 10) i, generate_series(1, 21) j));
sql($node, q(SELECT jemctx_test_ns_drain('n' || i) FROM generate_series(1, 21) i));
whole('after small objects of 21 namespaces');
sql($node, q(SELECT jemctx_namespace_drop('n' || i) FROM generate_series(1, 21) i));

# Everything at random.
is(sql($node, "SELECT jemctx_test_ns_wear($rounds, 600000000)"),
	0, "$rounds objects of 16 B to 20 MB in 8 namespaces: none is refused");
whole('after that');
is(sql($node, "SELECT jemctx_test_ns_check('a')"), 100, 'and the other namespace is as it was');
sql($node, "SELECT jemctx_test_ns_drain('a')");
wait_for_figure($node, 'mapped < 1000000', 'address space is what is in use: none');
sql($node, "SELECT jemctx_test_ns_fill('a', 50000, 100000000)");
is(figure($node, 'mapped = committed AND mapped - active < 2000000 AND active BETWEEN 100e6 AND 110e6'),
	't', 'or 100 MB');
sql($node, "SELECT jemctx_namespace_reset('a')");

# What an idle session keeps of two namespaces at their limits another has, of one and of the next.
{
	my @idle = map { open_session($node) } 1, 2;

	sql($node, "SELECT jemctx_namespace_create(name, 4194304) FROM unnest('{c, d}'::text[]) name");
	for my $name (qw(c d))
	{
		ask($_, "SELECT jemctx_test_ns_fill('$name', 1000, 1000000), jemctx_test_ns_drain('$name')") for @idle;
		cmp_ok(figure($node, 'cached', $name), '>', 0, "an idle session keeps objects of $name");
	}
	ok( poll(
			sub {
				sql($node, "SELECT jemctx_test_ns_grant(name, 4190208) FROM unnest('{c, d}'::text[]) name") eq "t\nt";
			}),
		'what it keeps, another gets');
	close_session($_) for @idle;
	sql($node, "SELECT jemctx_namespace_drop(name) FROM unnest('{c, d}'::text[]) name");
}

# What one has just freed another has.
sql($node, "SELECT jemctx_namespace_create('b')");
for my $size (100, 5000, 1000000)
{
	for my $free ("jemctx_test_ns_drain('a')", "jemctx_namespace_reset('a')")
	{
		cmp_ok(sql($node, "SELECT jemctx_test_ns_fill('a', $size, 700000000)"),
			'>', 690e6, "objects of $size bytes: most of the region");
		is(ask_once("SELECT jemctx_test_ns_grant('b', 500000000)"), 'f', 'another namespace has no room');
		is(ask_once("SELECT $free; SELECT jemctx_test_ns_grant('b', 900000000)"), 't', "$free: it has, at once");
	}
}

# The answer to the last of some statements, in one session.
sub ask_once
{
	my ($statements) = @_;
	my @lines = split /\n/, sql($node, $statements);

	return $lines[-1];
}

# Nor are magazines a reason to refuse: neither one's own nor those of a session that is idle.
sql($node, "SELECT jemctx_namespace_create('c', 67108864)");
is(ask_once("BEGIN; SELECT jemctx_test_ns_sizes('c'); SELECT jemctx_test_ns_grant('c', 67000000); COMMIT"), 't',
	'a process gives back what it keeps before it is refused');
my ($idle, $asking) = map { open_session($node) } 1 .. 2;
for my $try (1 .. 3)
{
	ask($idle, "SELECT jemctx_test_ns_sizes('c')");
	# it is asked for it, and on a busy machine may come to it too late for the first time
	ok(poll(sub { ask($asking, "SELECT jemctx_test_ns_grant('c', 67000000)") eq 't' }),
		"try $try: and so does one that is idle");
	ask($asking, 'SELECT pg_sleep(1)');
}
close_session($_) for $idle, $asking;

# Sizes that are larger than anything, whose pages do not fit into 32 bits, or whose bytes into 64.
for my $size (map { "($_)::bigint" } '2^30',
	'2^40', '2^44', '2^44 + 20000', '2^45 + 2^13', '2^46 + 4096', '2^62', '4611686018427387903')
{
	is(sql($node, "SELECT jemctx_test_ns_grant('a', $size)"), 'f', "an object of $size bytes is refused");
}
sql($node, "SELECT jemctx_namespace_set_limit('a', 9223372036854775807)");
is(sql($node, "SELECT jemctx_test_ns_grant('a', 100000000)"), 't', 'the largest limit is none');
adds_up($node, 'at the end');
$node->stop;

done_testing();
