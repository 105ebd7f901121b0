# Sessions that make, find, reset and drop a namespace of one name at the same
# time: each call does what it says, or says why not.  pg_regress has one
# session.  JEMCTX_RACE_SECONDS is how long; a minute finds what is rare.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use JemctxTest;
use NamespaceTest;

my $seconds = $ENV{JEMCTX_RACE_SECONDS} // 5;
my $node = namespace_node('main');

# Do something again and again.  Returns how often which of the errors came that
# are right; any other ends it.
sub loop
{
	my ($what, @errors) = @_;
	my $errors = join(' OR ', @errors);

	return qq(
		DO \$\$
		DECLARE
			stop timestamptz := clock_timestamp() + interval '$seconds s';
			rounds int := 0;
			errors int := 0;
		BEGIN
			WHILE clock_timestamp() < stop LOOP
				BEGIN
					$what
				EXCEPTION WHEN $errors THEN
					errors := errors + 1;
				END;
				rounds := rounds + 1;
			END LOOP;
			RAISE NOTICE 'rounds %, errors %', rounds, errors;
		END \$\$);
}

# Have sessions do such things at once, until all have come to their end.
sub race
{
	my ($name, @loops) = @_;
	my @sessions = map { open_session($node) } @loops;
	my @rounds;

	sql($node, q(SELECT jemctx_namespace_drop(name) FROM jemctx_namespaces WHERE name <> 'a'));
	send_query($sessions[$_], $loops[$_]) for 0 .. $#loops;
	for my $session (@sessions)
	{
		my $answer = answer($session);

		like($answer, qr/^NOTICE:  rounds \d+, errors \d+$/m, "$name: no wrong errors");
		push(@rounds, [ $answer =~ /rounds (\d+), errors (\d+)/ ]);
		close_session($session);
	}
	return @rounds;
}

# Whoever drops is alone to make it: it is there after the one, not after the other.
my @rounds = race('resets and drops',
	(loop(q(PERFORM jemctx_namespace_reset('x');), 'undefined_object')) x 2,
	loop(q(
		PERFORM jemctx_namespace_create('x');
		PERFORM jemctx_test_ns_fill('x', 100, 1000);
		PERFORM jemctx_namespace_drop('x');
		IF EXISTS (SELECT FROM jemctx_namespaces WHERE name = 'x') THEN
			RAISE 'a drop that did nothing';
		END IF;), 'division_by_zero'));
cmp_ok($rounds[2][0], '>', 10 * $seconds, 'drops that met resets did drop');
cmp_ok($_->[0] - $_->[1], '>', 0, 'resets met it') for @rounds[ 0, 1 ];

# Two that drop: as often as it was made, one of them has dropped it.
sql($node, 'CREATE TABLE did (what text)');
@rounds = race('two that drop',
	(loop(q(PERFORM jemctx_namespace_drop('x'); INSERT INTO did VALUES ('dropped');), 'undefined_object')) x 2,
	loop(q(PERFORM jemctx_namespace_create('x'); INSERT INTO did VALUES ('made');), 'duplicate_object'));
sql($node, "SELECT jemctx_namespace_drop('x'); INSERT INTO did VALUES ('dropped')")
  if sql($node, "SELECT count(*) FROM jemctx_namespaces WHERE name = 'x'");
is(sql($node, "SELECT count(*) FILTER (WHERE what = 'made') - count(*) FILTER (WHERE what = 'dropped') FROM did"),
	0, 'each namespace was dropped once');

# Another namespace, in the slot that x had a moment ago, is left alone.
@rounds = race('a neighbour',
	(loop(q(PERFORM jemctx_namespace_reset('x');), 'undefined_object')) x 2,
	loop(q(
		PERFORM jemctx_namespace_create('x');
		PERFORM jemctx_namespace_drop('x');
		PERFORM jemctx_namespace_create('y');
		PERFORM jemctx_test_ns_fill('y', 100, 1000);
		PERFORM pg_sleep(0.001);
		IF jemctx_test_ns_check('y') <> 10 THEN
			RAISE 'a reset of another namespace';
		END IF;
		PERFORM jemctx_namespace_drop('y');), 'division_by_zero'));
cmp_ok($rounds[2][0], '>', 10 * $seconds, 'a namespace next to one that is reset was whole');

# Find or create: nobody is told that somebody else was faster.
race('find or create',
	(loop(q(PERFORM jemctx_test_ns_open('x');), 'division_by_zero')) x 2,
	loop(q(PERFORM jemctx_namespace_create('x', if_not_exists => true);), 'division_by_zero'),
	loop(q(PERFORM jemctx_namespace_drop('x');), 'undefined_object'));

# The root and limit of a namespace that others drop are never the next one's.
@rounds = race('roots',
	loop(q(PERFORM jemctx_test_ns_fill('x', 100, 100);), 'undefined_object'),
	loop(q(
		PERFORM jemctx_namespace_create('x');
		IF (SELECT has_root AND objects = 0 FROM jemctx_namespaces WHERE name = 'x') THEN
			RAISE 'a root of the namespace before';
		END IF;
		PERFORM jemctx_namespace_drop('x');), 'division_by_zero'));

# A name that nothing has while it is dropped is no name.
@rounds = race('no name',
	(loop(q(PERFORM jemctx_namespace_reset(''); RAISE 'found without a name';), 'undefined_object')) x 2,
	loop(q(
		PERFORM jemctx_namespace_create('x');
		PERFORM jemctx_test_ns_fill('x', 100, 1000000);
		PERFORM jemctx_namespace_drop('x');), 'division_by_zero'));

# An object in use is one also while others have its slab begin to drain, and cease to.
my ($waver, $look) = map { open_session($node) } 1 .. 2;
ask($look, "SELECT jemctx_namespace_create('x')");
my $address = ask($waver, "SELECT jemctx_test_ns_thin('x')");
my $wavering = ask($waver, 'SELECT pg_backend_pid()');
send_query($waver, "SELECT jemctx_test_ns_waver('x')");
is(ask($look, "SELECT jemctx_test_ns_look('x', $address, 30000000)"), 30000000, 'an object is one all the time');
ask($look, "SELECT pg_cancel_backend($wavering)");
like(answer($waver), qr/canceling statement/, 'while its slab was as it was');
close_session($_) for $waver, $look;

$node->stop;

done_testing();
