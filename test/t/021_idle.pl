# What a backend does while its client is silent, in every state that it can
# be silent in, and what else must go on meanwhile.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node =
  new_node('main', "jit = off\njemctx.idle_purge_after = 200\nmax_prepared_transactions = 2\nwal_level = logical\n");
$node->start;
my $observer = session($node);

# A session that has just freed much memory returns it by itself.
sub comes_back
{
	my ($session, $what) = @_;

	return ok(poll(sub { backend($observer, $session, 'committed') < 12e6 }), "$what: memory comes back");
}

sub has_memory
{
	my ($session, $what) = @_;

	return cmp_ok(backend($observer, $session, 'committed'), '>', 40e6, "$what: memory is kept at first");
}

# A session that does not purge by itself, to compare with.
my $keeper = session($node);
query($keeper, 'SET jemctx.idle_purge_after = -1; SET jemctx.dirty_decay = -1; ' . big_sorts());

my $session = session($node);
my $purges = backend($observer, $session, 'purges');
query($session, 'SET jemctx.idle_purge_after = -1; SET jemctx.dirty_decay = -1; ' . big_sorts());
has_memory($session, 'idle');
query($session, 'SET jemctx.idle_purge_after = 200; RESET jemctx.dirty_decay');
comes_back($session, 'idle');
ok(poll(sub { backend($observer, $session, 'purged') > 40e6 }), 'idle: and is counted');

query($session, 'BEGIN');
query($session, big_sorts());
comes_back($session, 'in a transaction');
is(query($session, 'SELECT 1'), '1', 'in a transaction: it goes on');
like(query($session, 'SELECT 1/0'), qr/division by zero/, 'in a transaction: an error');
query($session, 'ROLLBACK');

query($session, 'BEGIN');
like(query($session, "SET work_mem = '64MB'; SELECT max(m), 1/(count(*)-300000) FROM (SELECT md5(g::text) m
	FROM generate_series(1, 300000) g ORDER BY m) s"),
	qr/division by zero/, 'after an error: the statement fails when it has its memory');
comes_back($session, 'after an error');
like(query($session, 'SELECT 1'), qr/current transaction is aborted/,
	'after an error: still in the failed transaction');
query($session, 'ROLLBACK');

# What a cursor holds stays, and the cursor works.
query($session, "BEGIN; SET LOCAL work_mem = '64MB'; DECLARE c CURSOR FOR SELECT g FROM generate_series(1, 300000) g
	ORDER BY md5(g::text); MOVE 100 IN c");
query($session, 'SELECT length(repeat(\'x\', 100000000))');
ok(poll(sub { backend($observer, $session, 'committed') < 80e6 }), 'in a cursor: what is free comes back');
cmp_ok(backend($observer, $session, 'committed'), '>', 20e6, 'in a cursor: what it holds stays');
is(query($session, 'FETCH 1 FROM c'), query($keeper, 'SELECT g FROM generate_series(1, 300000) g
	ORDER BY md5(g::text) OFFSET 100 LIMIT 1'),
	'in a cursor: it goes on');
query($session, 'COMMIT');

# Prepared transactions and statements, temporary tables.
query($session,
	"CREATE TEMP TABLE t AS SELECT g FROM generate_series(1, 1000) g; PREPARE p AS SELECT sum(g) FROM t; "
	  . big_sorts());
comes_back($session, 'with a temporary table');
is(query($session, 'EXECUTE p'), '500500', 'with a temporary table: it is there');
my $preparer = session($node);
query($preparer, "BEGIN; CREATE TABLE prepared (i int); PREPARE TRANSACTION 'one'; " . big_sorts());
comes_back($preparer, 'after PREPARE TRANSACTION');
is(query($preparer, "COMMIT PREPARED 'one'; SELECT count(*) FROM prepared"),
	'0', 'after PREPARE TRANSACTION: it can be committed');

# Notifications arrive while it waits, before and after the purge.
query($session, 'LISTEN x; ' . big_sorts());
query($observer, "NOTIFY x, 'early'");
ok(poll(sub { query($session, 'SELECT 1') =~ /Asynchronous notification "x" with payload "early"/ }),
	'LISTEN: an early notification arrives');
query($session, big_sorts());
comes_back($session, 'LISTEN');
query($observer, "NOTIFY x, 'late'");
ok(poll(sub { query($session, 'SELECT 1') =~ /Asynchronous notification "x" with payload "late"/ }),
	'LISTEN: a notification arrives');

# The other timeouts fire as they do without us.
query($session, big_sorts() . ' SET statement_timeout = 300');
comes_back($session, 'with statement_timeout');
like(query($session, 'SELECT pg_sleep(60)'), qr/statement timeout/, 'statement_timeout fires');
is(query($session, 'RESET statement_timeout; SELECT 1'), '1', 'and nothing is left of it');
query($observer, 'CREATE TABLE locked (i int); BEGIN; LOCK TABLE locked');
like(query($session, 'SET lock_timeout = 300; SELECT * FROM locked'), qr/lock timeout/, 'lock_timeout fires');
query($observer, 'COMMIT');
query($session, 'RESET lock_timeout');
for my $timeout ([ 'idle_session_timeout', '', qr/idle-session timeout/ ],
	[ 'idle_in_transaction_session_timeout', 'BEGIN;', qr/idle-in-transaction timeout/ ])
{
	my ($name, $begin, $message) = @$timeout;
	my $victim = session($node);
	my $pid = pid_of($victim);
	my $offset = -s $node->logfile;

	query($victim, "SET $name = 600; $begin " . big_sorts());
	$node->wait_for_log(qr/\[$pid\].*$message/, $offset);
	pass("$name ends the session");
}

# Requests of others reach a waiting backend: cancel does nothing, terminate ends it.
query($session, big_sorts());
query($observer, 'SELECT pg_cancel_backend(' . pid_of($session) . ')');
comes_back($session, 'cancelled while idle');
is(query($session, 'SELECT 1'), '1', 'cancelled while idle: no statement is cancelled');
query($session, big_sorts());
comes_back($session, 'and the next time');
my $offset = -s $node->logfile;
query($observer, 'SELECT pg_log_backend_memory_contexts(' . pid_of($session) . ')');
$node->wait_for_log(qr/level: \d; TopMemoryContext/, $offset);
pass('asked for its contexts while idle: answers');
my $victim = session($node);
my $victim_pid = pid_of($victim);
query($observer, "SELECT pg_terminate_backend($victim_pid)");
ok(poll(sub { query($observer, "SELECT count(*) FROM pg_stat_activity WHERE pid = $victim_pid") eq '0' }),
	'terminated while idle: ends');

# Statistics are sent, which PostgreSQL does some seconds later.
query($session, 'CREATE TABLE counted AS SELECT 1 AS i; SELECT * FROM counted');

# At once, and never.
my $eager = session($node);
query($eager, 'SET jemctx.idle_purge_after = 0; ' . big_sorts());
ok(poll(sub { backend($observer, $eager, 'committed') < 12e6 }), 'idle_purge_after = 0: nothing is kept');
cmp_ok(backend($observer, $keeper, 'committed'), '>', 40e6, 'idle_purge_after = -1: all is kept');

# A busy backend gives back what its statements no longer need.
my $busy = session($node);
query($busy, 'SET jemctx.idle_purge_after = -1; SET jemctx.dirty_decay = -1; ' . big_sorts());
has_memory($busy, 'busy');
query($busy, 'SET jemctx.dirty_decay = 300');
ok(poll(sub { query($busy, 'SELECT 1'); backend($observer, $busy, 'committed') < 12e6 }),
	'busy: what is not needed any more comes back');
query($busy, "SET jemctx.dirty_decay = '1min'; " . big_sorts());
my $needed = backend($observer, $busy, 'purges');
query($busy, big_sorts());
cmp_ok(backend($observer, $busy, 'purges') - $needed, '<=', 1, 'busy: what is needed again and again is kept');
query($busy, 'SET jemctx.dirty_decay = -1; SELECT 1');
$needed = backend($observer, $busy, 'purges');
query($busy, 'SELECT 1') for 1 .. 50;
is(backend($observer, $busy, 'purges'), $needed, 'dirty_decay = -1: nothing comes back by itself');

# Protocol: a statement that arrives while the last one's answer is sent, and
# prepared statements, do not wait.
pgbench_ok('pgbench: tables', '-i', '-s', '1', $node->connstr('postgres'));
for my $mode (qw(simple extended prepared))
{
	pgbench_ok("pgbench: $mode does not wait",
		'-S', '-c', 4, '-j', 2, '-t', 200, '-M', $mode, $node->connstr('postgres'));
}
my $script = $node->basedir . '/pipeline.sql';
append_to_file($script, "\\startpipeline\nSELECT 1;\nSELECT repeat('x', 20000);\nSELECT 2;\n\\endpipeline\n");
pgbench_ok('pgbench: a pipeline does not wait', '-f', $script, '-t', 200, '-M', 'extended', $node->connstr('postgres'));
ok(poll(sub { query($observer, "SELECT seq_scan > 0 FROM pg_stat_user_tables WHERE relname = 'counted'") eq 't' }),
	'statistics arrive');
$node->stop;

done_testing();
