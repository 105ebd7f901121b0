# Purges that one process asks another one for.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jit = off\njemctx.idle_purge_after = -1\njemctx.dirty_decay = -1\n");
$node->start;
$node->safe_psql('postgres', q(
	CREATE ROLE one LOGIN;
	CREATE ROLE two LOGIN;
	CREATE ROLE helper LOGIN IN ROLE pg_signal_backend;
	CREATE ROLE boss LOGIN SUPERUSER;
));
my $observer = session($node);

sub session_of
{
	my ($role) = @_;

	return session($node, connstr => $node->connstr('postgres') . " user=$role");
}

# Idle backends answer at once, with what they have given back.
my $one = session_of('one');
my %states = (
	'idle' => [ '', 'SELECT 1' ],
	'in a transaction' => [ 'BEGIN', 'ROLLBACK' ],
	'in a failed transaction' => [ 'BEGIN; SELECT 1/0', 'ROLLBACK' ],
);
for my $state (sort keys %states)
{
	my ($before, $after) = @{ $states{$state} };

	query($one, big_sorts());
	query($one, $before) if $before;
	my $held = backend($observer, $one, 'committed');
	my $given = query($observer, 'SELECT jemctx_purge(' . pid_of($one) . ')');

	like($given, qr/^\d+$/, "$state: answers");
	cmp_ok($given, '>', 40e6, "$state: gives back");
	is($held - backend($observer, $one, 'committed'), $given, "$state: as much as it says");
	query($one, $after);
}

# A session that has its answer may be asked for a purge by another session at
# once: it is idle, whatever its backend has still to do.
$node->safe_psql('postgres', q(
	CREATE EXTENSION dblink;
	CREATE FUNCTION ask_at_once(times int, statement text) RETURNS TABLE (asked int, answered int)
		LANGUAGE plpgsql AS $$
	DECLARE
		pid int;
	BEGIN
		PERFORM dblink_connect('other', format('host=%s port=%s dbname=%s',
			current_setting('unix_socket_directories'), current_setting('port'), current_database()));
		SELECT p INTO pid FROM dblink('other', 'SELECT pg_backend_pid()') r (p int);
		answered := 0;
		FOR i IN 1 .. times LOOP
			PERFORM dblink_exec('other', statement, false);
			answered := answered + CASE WHEN jemctx_purge(pid) IS NULL THEN 0 ELSE 1 END;
		END LOOP;
		PERFORM dblink_disconnect('other');
		asked := times;
		RETURN NEXT;
	END $$;
));
query($observer, 'SET client_min_messages = error');
is(query($observer, "SELECT * FROM ask_at_once(3000, 'SET work_mem = 8192')"),
	'3000|3000', 'a session that has its answer is not busy');
is(query($observer, "SELECT * FROM ask_at_once(3000, 'ROLLBACK; BEGIN; SELECT 1/0')"),
	'3000|3000', 'nor is one whose transaction has failed');
query($observer, 'RESET client_min_messages');

# Also after a cancel that came too late.
query($one, big_sorts());
query($observer, 'SELECT pg_cancel_backend(' . pid_of($one) . ')');
query($one, 'SELECT 1');
query($observer, 'SELECT pg_cancel_backend(' . pid_of($one) . ')');
query($observer, 'SELECT pg_sleep(0.2)');
like(query($observer, 'SELECT jemctx_purge(' . pid_of($one) . ')'), qr/^\d+$/, 'after a cancel: answers');
cmp_ok(backend($observer, $one, 'committed'), '<', 12e6, 'after a cancel: memory has come back');

# A busy one says so, and does it later.  Nobody waits for it: if each waited,
# so many would take a minute.
my $two = session_of('two');
my $pid = pid_of($two);
query($observer, 'SELECT pg_advisory_lock(1)');
query($two, big_sorts());
send_query($two, 'SELECT pg_advisory_xact_lock(1)');
ok(waits_at($observer, $two, 'advisory'), 'a backend is busy');
my $busy = query($observer, "SELECT jemctx_purge($pid)");
my $later = qr/It will return its unused memory at the end of its statement or transaction\./;
like($busy, qr/NOTICE:  process \d+ is busy\nDETAIL:  $later/,
	'busy: says so');
query($observer, 'SET client_min_messages = error');
is(query($observer, "SELECT count(jemctx_purge($pid)), clock_timestamp() < statement_timestamp() + interval '30 s'
	FROM generate_series(1, 60)"),
	'0|t', 'busy: nobody waits for it');
query($observer, 'RESET client_min_messages; SELECT pg_advisory_unlock(1)');
answer($two);
ok(poll(sub { backend($observer, $two, 'committed') < 12e6 }), 'busy: returns it later');

# All at once.
my @many = map { session($node) } 1 .. 10;
query($_, big_sorts()) for @many;
my $sum = query($observer, 'SELECT sum(committed) FROM jemctx_backends');
my $given = query($observer, 'SELECT jemctx_purge_all()');
cmp_ok($given, '>', 10 * 40e6, 'all: gives back');
cmp_ok(abs($sum - query($observer, 'SELECT sum(committed) FROM jemctx_backends') - $given),
	'<', 2e6, 'all: as much as it says');
is(query($many[3], 'SELECT 1'), '1', 'all: sessions go on');

# Who may.
my $boss = session_of('boss');
my $helper = session_of('helper');
pid_of($_) for $one, $two, $boss, $helper;
my $hint = qr/Must be a member of the role whose process it is, or of pg_signal_backend\./;
my $denied = qr/ERROR:  permission denied to purge the memory of process \d+\nHINT:  $hint/;
like(query($one, 'SELECT jemctx_purge(' . pid_of($two) . ')'), $denied, 'not another role\'s');
like(query($one, 'SELECT jemctx_purge(' . pid_of(my $same = session_of('one')) . ')'), qr/^\d+$/, 'one\'s own role\'s');
like(query($helper, 'SELECT jemctx_purge(' . pid_of($two) . ')'), qr/^\d+$/, 'pg_signal_backend: anybody\'s');
like(
	query($helper, 'SELECT jemctx_purge(' . pid_of($boss) . ')'),
	qr/permission denied .*\nHINT:  .*only superusers/,
	'but not a superuser\'s');
like(query($boss, 'SELECT jemctx_purge(' . pid_of($two) . ')'), qr/^\d+$/, 'superuser: anybody\'s');
query($_, big_sorts()) for $two, $boss;
$given = query($helper, 'SELECT jemctx_purge_all()');
cmp_ok(backend($observer, $two, 'committed'), '<', 12e6, 'all, for pg_signal_backend: other roles\'');
cmp_ok(backend($observer, $boss, 'committed'), '>', 40e6, 'all, for pg_signal_backend: not superusers\'');
query($two, big_sorts());
query($one, 'SELECT jemctx_purge_all()');
cmp_ok(backend($observer, $two, 'committed'), '>', 40e6, 'all, for anybody: not other roles\'');
my $others = query($one, 'SELECT count(*) FROM jemctx_backends');
is($others, '1', 'others\' figures are not for everybody');
like(query($one, 'SELECT * FROM jemctx_server'), qr/permission denied for view jemctx_server/, 'nor the server\'s');

# Processes that cannot answer.
my $checkpointer = query($observer, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
like(
	query($observer, "SELECT jemctx_purge($checkpointer)"),
	qr/WARNING:  process $checkpointer cannot be asked to purge its memory/,
	'an auxiliary process cannot');
like(query($observer, 'SELECT jemctx_purge(' . (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0] . ')'),
	qr/is not a PostgreSQL server process/, 'the postmaster has no place');
$node->stop;

done_testing();
