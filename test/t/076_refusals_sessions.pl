# Like 074, for what a session does by itself: it serves others' notifications and invalidations while its
# client is silent, loads modules, ends; for what other nodes get of it; and for the functions of jemctx.h.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use RefusalTest;

use_variant('checking');
my $node = refusal_node('main');
my $only = $ENV{REFUSALS_CASE} // '';

$node->safe_psql('postgres', q(
	CREATE FUNCTION churn(n int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..n LOOP
			EXECUTE 'CREATE TABLE churned (i int PRIMARY KEY, t text)';
			EXECUTE 'DROP TABLE churned';
		END LOOP;
	END $$;
	CREATE TABLE kept (i int PRIMARY KEY);
));

# The question is whether there is one.
sub exists_sql
{
	my ($from) = @_;

	return "SELECT CASE count(*) WHEN 0 THEN 'no' ELSE 'yes' END FROM $from";
}

# No abort takes back what is done to a namespace: all that can fail must fail before, the first time, too.
my @namespace_case = (fresh => 1, stride => 1);

my @cases = (
	{ name => 'a module is loaded', fresh => 1, statement => 'DO $$ BEGIN PERFORM 1; END $$',
		after => { always => ['DO $$ BEGIN PERFORM 1; END $$'] } },
	{ name => 'first statement', fresh => 1, statement => 'SELECT count(*) FROM pg_stat_activity' },
	{ name => 'an exception block', fresh => 1,
		statement => 'DO $$ BEGIN CREATE TABLE made (i int); BEGIN INSERT INTO made VALUES (1/0);
			EXCEPTION WHEN division_by_zero THEN NULL; END; END $$',
		done => exists_sql("pg_class WHERE relname = 'made'"), after => { failed => [], done => ['DROP TABLE made'] } },
	# after an error PostgreSQL's own session may look for pg_class in the new file, also when it is cancelled;
	# and a new one reads all catalogs, since the file with them has been removed: thousands of allocations
	{ name => 'a catalog is rewritten', fresh => 1, stride => 97, statement => 'VACUUM FULL pg_class' },
	{ name => 'ALTER SYSTEM', statement => "ALTER SYSTEM SET work_mem = '5MB'",
		done => exists_sql("pg_file_settings WHERE name = 'work_mem'"),
		after => { failed => [], done => ['ALTER SYSTEM RESET work_mem'] } },
	{ name => 'CREATE TABLESPACE', before => ['SET allow_in_place_tablespaces = on'],
		statement => "CREATE TABLESPACE made LOCATION ''",
		done => exists_sql("pg_tablespace WHERE spcname = 'made'"),
		after => { failed => [], done => ['DROP TABLESPACE made'] } },
	{ name => 'a slot decodes', before => [ 'BEGIN', 'CREATE TABLE decoded (i int)', "PREPARE TRANSACTION 'd'",
		"COMMIT PREPARED 'd'", 'DROP TABLE decoded' ],
		statement => "SELECT count(*) > 0 FROM pg_logical_slot_peek_changes('slot', NULL, 50)",
		after => { always => ["SELECT count(*) FROM pg_logical_slot_get_changes('slot', NULL, NULL)"] } },
	# which no abort undoes, but the statement may still fail
	{ name => 'a slot is made', may_stay => 1,
		statement => "SELECT slot_name FROM pg_create_logical_replication_slot('made', 'test_decoding')",
		done => exists_sql("pg_replication_slots WHERE slot_name = 'made'"),
		after => { failed => [], done => ["SELECT pg_drop_replication_slot('made')"] } },
	{ @namespace_case, name => 'jemctx_namespace_create', statement => "SELECT jemctx_namespace_create('made')",
		done => exists_sql("jemctx_namespaces WHERE name = 'made'"),
		after => { failed => [], done => ["SELECT jemctx_namespace_drop('made')"] } },
	{ @namespace_case, name => 'jemctx_namespace_drop', before => [ "SELECT jemctx_namespace_create('made')",
		"SELECT jemctx_test_ns_fill('made', 100, 10000)" ],
		statement => "SELECT jemctx_namespace_drop('made')",
		done => "SELECT CASE count(*) WHEN 0 THEN 'yes' ELSE 'no' END FROM jemctx_namespaces WHERE name = 'made'",
		after => { failed => ["SELECT jemctx_namespace_drop('made')"], done => [] } },
	{ @namespace_case, name => 'jemctx_namespace_reset', before => ["SELECT jemctx_test_ns_fill('n', 100, 10000)"],
		statement => "SELECT jemctx_namespace_reset('n')",
		done => "SELECT CASE objects WHEN 0 THEN 'yes' ELSE 'no' END FROM jemctx_namespaces WHERE name = 'n'",
		after => { failed => ["SELECT jemctx_namespace_reset('n')"], done => [] } },
	{ @namespace_case, name => 'jemctx_namespace_set_limit',
		statement => "SELECT jemctx_namespace_set_limit('n', 33000000)",
		done => exists_sql("jemctx_namespaces WHERE name = 'n' AND size_limit = 33000000"),
		after => { always => ["SELECT jemctx_namespace_set_limit('n', 0)"] } },
	{ name => 'a first look at a namespace', fresh => 1,
		statement => "SELECT jemctx_test_ns_fill('n', 100, 100000) + jemctx_test_ns_fill('n', 5000, 100000)
			+ jemctx_test_ns_fill('n', 100000, 200000), jemctx_test_ns_flush()",
		after => { always => [ "SELECT jemctx_test_ns_check('n')", "SELECT jemctx_test_ns_drain('n')",
			"SELECT jemctx_namespace_reset('n')" ] } },
	{ name => 'a namespace as a context', fresh => 1,
		statement => "SELECT jemctx_test_ns_build('n'), jemctx_test_ns_read('n')",
		after => { always => ["SELECT jemctx_namespace_reset('n')"] } },
	(map {
		{ name => "memory contexts: $_", fresh => 1,
			statement => "SELECT jemctx_test_$_('persistent'), jemctx_test_$_('transient')" }
	} qw(callbacks parents list string)),
);

$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('slot', 'test_decoding', false, true)");
for my $case (@cases)
{
	refuse_each($node, $case) if $case->{name} =~ /$only/;
}
$node->safe_psql('postgres', "SELECT pg_drop_replication_slot('slot')");
my $other = session($node);

# What a session does while its client is silent, when each allocation from the n-th on is refused: it stays,
# and its client gets what it has asked for and nothing else.
sub idle_ok
{
	my ($what, $before, $event, $expected) = @_;
	my @wrong;

	for my $n (1 .. (stride() == 1 ? 20 : 4))
	{
		my $idle = session($node);

		pid_of($idle);
		query($idle, $before);
		query($idle, 'SELECT jemctx_test_brim()');
		query($idle, "SET jemctx.debug_refuse = -$n");
		query($other, $event);
		# it has done what it has to when nothing is left for it to read
		poll(
			sub {
				query($other, "SELECT wait_event = 'ClientRead' FROM pg_stat_activity WHERE pid = $idle->{pid}") eq 't';
			});
		# the statement after that may be refused
		my $told = query($idle, 'SET jemctx.debug_refuse = 0');
		my $answer = query($idle, "SELECT 'alive'");
		push(@wrong, "-$n: $told, then $answer")
		  if $answer !~ /^alive$/m || "$told\n$answer" !~ $expected || "$told$answer" =~ /FATAL/;
		close_session($idle);
	}
	is(join("\n", @wrong), '', "$what: the session stays");
	nothing_is_left($node, $what, $other);
	return;
}
if ('idle' =~ /$only/)
{
	# long ones, or what a session has is enough
	idle_ok('an idle session gets a notification', 'LISTEN channel', "SELECT pg_notify('channel', repeat('x', 7900))",
		qr/Asynchronous notification "channel" with payload "x+" received from server process with PID \d+\./);
	idle_ok('a session idle in a transaction gets invalidations', 'BEGIN; DECLARE c CURSOR FOR
		SELECT * FROM kept, pg_class; MOVE 1 IN c',
		'ANALYZE kept, pg_class; SELECT churn(50)', qr//);
}

# Sessions that end.
if ('exit' =~ /$only/)
{
	for my $n (1 .. (stride() == 1 ? 40 : 5))
	{
		my $session = session($node);

		query($session, "LISTEN channel; CREATE TEMP TABLE gone (i serial PRIMARY KEY, t text);
			SELECT jemctx_test_ns_fill('n', 100, 10000)");
		query($session, 'SELECT jemctx_test_brim()');
		query($session, "SET jemctx.debug_refuse = -$n");
		query($session, 'SELECT pg_terminate_backend(pg_backend_pid())') if $n % 2;
		close_session($session);
	}
	nothing_is_left($node, 'sessions that end', $other);
}
close_session($other);
whole_on_disk($node);

done_testing();
