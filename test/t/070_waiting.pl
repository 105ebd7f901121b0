# What must go on while a backend waits for its client, beyond purges: nothing of
# ours may keep PostgreSQL from anything, and nothing of others' may lead us astray.
# It takes clients that read slowly and modules that fail, beside ours.
use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use JemctxTest;

# Nobody must wait for longer, and no machine is so busy.
my $deadline = 120;

my $node = new_node('main',
	"jit = off\njemctx.idle_purge_after = -1\nwal_level = logical\nmax_wal_senders = 5\nmax_replication_slots = 5\n");

# A module whose callbacks are called after ours, since it is loaded before: it fails
# when a worker of its own commits, and when somebody drops all catalog caches.
my $directory = $node->basedir;
append_to_file("$directory/failing.c", <<'SOURCE');
#include "postgres.h"
#include <unistd.h>
#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
PGDLLEXPORT void failing_worker(Datum arg);

static bool fails_at_reset = false;
static bool fails_at_commit = false;

static void
at_reset(Datum arg, Oid relid)
{
	if (fails_at_reset && relid == InvalidOid)
		elog(ERROR, "failing: reset");
}

static void
at_commit(XactEvent event, void *arg)
{
	if (fails_at_commit && event == XACT_EVENT_COMMIT)
		elog(ERROR, "failing: commit");
}

static void
transaction(void)
{
	StartTransactionCommand();
	memset(MemoryContextAlloc(TopTransactionContext, 20000000), 1, 20000000);
	CommitTransactionCommand();
}

void
failing_worker(Datum arg)
{
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection("postgres", NULL, 0);
	while (access(FAILING ".go", F_OK) != 0)
	{
		CHECK_FOR_INTERRUPTS();
		WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 100L, 0);
		ResetLatch(MyLatch);
	}
	for (int i = 0; i < 3; i++)
	{
		fails_at_commit = true;
		PG_TRY();
		{
			transaction();
		}
		PG_CATCH();
		{
			EmitErrorReport();
			AbortCurrentTransaction();
			FlushErrorState();
		}
		PG_END_TRY();
		fails_at_commit = false;
		transaction();
	}
	elog(LOG, "failing: the worker goes on");
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1L, 0);
		ResetLatch(MyLatch);
	}
}

void
_PG_init(void)
{
	BackgroundWorker worker = {
		.bgw_name = "failing", .bgw_type = "failing", .bgw_function_name = "failing_worker",
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished, .bgw_restart_time = BGW_NEVER_RESTART
	};

	DefineCustomBoolVariable("failing.at_reset", "Fail.", NULL, &fails_at_reset, false, PGC_USERSET, 0, NULL, NULL,
		NULL);
	RegisterXactCallback(at_commit, NULL);
	CacheRegisterRelcacheCallback(at_reset, (Datum) 0);
	strlcpy(worker.bgw_library_name, FAILING, BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}
SOURCE
chomp(my $include = `pg_config --includedir-server`);
system_or_bail('cc', '-shared', '-fPIC', '-O1', "-I$include", "-DFAILING=\"$directory/failing\"",
	'-o', "$directory/failing.so", "$directory/failing.c");
$node->append_conf('postgresql.conf', "shared_preload_libraries = '$directory/failing, jemctx'\n");
$node->start;
my $observer = session($node);

#
# A client that speaks the protocol by itself, and reads when it is told to
#

sub message
{
	my ($type, $body) = @_;

	return $type . pack('N', 4 + length $body) . $body;
}

# Read until the backend is ready, or has ended, or nothing has come for a long time; returns what has come.
sub read_all
{
	my ($client) = @_;
	my $data = '';

	while ($data !~ /Z\0\0\0\x05[ITE]\z/)
	{
		if (!IO::Select->new($client)->can_read($deadline))
		{
			diag 'nothing comes';
			last;
		}
		sysread($client, $data, 65536, length $data) or last;
	}
	return $data;
}

# Returns the connection and the process id of its backend.
sub raw_client
{
	my $client = IO::Socket::UNIX->new($node->host . '/.s.PGSQL.' . $node->port) or die "cannot connect: $!";
	my $user = query($observer, 'SELECT current_user');

	syswrite($client, message('', pack('N', 196608) . "user\0$user\0database\0postgres\0\0"));
	read_all($client) =~ /K\0\0\0\x0c(.{4})/s or die 'no key';
	return ($client, unpack('N', $1));
}

sub ask
{
	my ($client, $sql) = @_;

	syswrite($client, message('Q', "$sql\0"));
	return;
}

sub activity
{
	my ($pid, $what) = @_;

	return query($observer, "SELECT $what FROM pg_stat_activity WHERE pid = $pid");
}

# Ask for an answer of that size, after some seconds, and for a timeout, which both do not change
# the size.  Returns what the session is doing when it has come so far that it waits.
sub ask_for
{
	my ($client, $pid, $size, $seconds, $timeout) = @_;
	my $sql = "SET idle_session_timeout = $timeout; SELECT repeat('x', $size) FROM pg_sleep($seconds)";
	my $state;

	ask($client, $sql);
	poll(
		sub {
			(   $state = activity(
					$pid,
					"CASE WHEN query = \$\$$sql\$\$ AND wait_event LIKE 'Client%' THEN state || ' ' || wait_event END")
			) ne '';
		});
	return $state;
}

# The size of an answer that is just so large that the backend gets rid of all but its end, is idle
# by what it tells, and waits to say so.  0 if there is none.
sub awkward_size
{
	my ($client, $pid) = @_;

	for (my $size = 100000; $size < 400000; $size += 3000)
	{
		my $state = ask_for($client, $pid, $size, 0, 0);

		read_all($client);
		return $size if $state eq 'idle ClientWrite';
	}
	return 0;
}

# What comes while the answer's end cannot be sent is not lost: a barrier for all processes.  The one
# that waits for them says so when one of them is late by 5 s, which a busy machine may be once.
my ($slow, $slow_pid) = raw_client();
my $size = awkward_size($slow, $slow_pid);
my $dropper = session($node);
my $dropper_pid = pid_of($dropper);
my $late = qr/still waiting for backend with PID $slow_pid to accept ProcSignalBarrier/;
my $in_time = 0;
for my $round (1 .. 3)
{
	query($observer, 'CREATE DATABASE dropped');
	my $offset = -s $node->logfile;
	is(ask_for($slow, $slow_pid, $size, 2, 0), 'idle ClientWrite', 'an answer is left unread');
	send_query($dropper, 'DROP DATABASE dropped');
	ok(poll(sub { activity($dropper_pid, 'wait_event') eq 'ProcSignalBarrier' }),
		'another session waits for all processes');
	like(read_all($slow), qr/Z\0\0\0\x05I\z/, 'the answer is read');
	if (!poll(sub { is_answered($dropper) }, $deadline))
	{
		ask($slow, 'SELECT 1');    # lost: let the others have a server
		read_all($slow);
	}
	answer($dropper);
	$in_time = slurp_file($node->logfile, $offset) !~ $late;
	last if $in_time;
}
ok($in_time, 'then the other waits no longer');

# And a timeout.
is(ask_for($slow, $slow_pid, $size, 2, 300), 'idle ClientWrite', 'the answer is left unread again');
sleep 1;    # the timeout passes, which cannot be seen
my $answer = read_all($slow);
$answer .= read_all($slow) if $answer =~ /Z\0\0\0\x05I\z/;
like($answer, qr/57P05.*idle-session timeout/s, 'a timeout that has come meanwhile ends the session');
close $slow;

# A statement of which a part has come: still idle.
my ($partly, $partly_pid) = raw_client();
my $statement = message('Q', "SELECT 'whole'\0");
syswrite($partly, substr($statement, 0, 10));
sleep 0.2;    # the backend reads it, which cannot be seen
like(query($observer, "SELECT jemctx_purge($partly_pid)"),
	qr/^\d+$/, 'a session that has received half a statement is idle');
syswrite($partly, substr($statement, 10));
like(read_all($partly), qr/whole/, 'and understands the other half');

# A walsender that has exported a snapshot keeps it, whatever we do with its caches.
my $sender = session($node, connstr => $node->connstr('postgres') . ' replication=database');
my $sender_pid = pid_of($sender);
query($sender, 'SET jemctx.idle_cache_limit = 0');
query($sender, 'CREATE_REPLICATION_SLOT exported TEMPORARY LOGICAL pgoutput (SNAPSHOT export)') =~
  /^exported\|[^|]*\|([-0-9A-F]+)\|/
  or fail('no snapshot');
my $snapshot = $1;
like(query($observer, "SELECT jemctx_purge($sender_pid)"), qr/^\d+$/, 'a walsender purges');
is(query($observer, "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '$snapshot'; SELECT 1; COMMIT"),
	'1',
	'and the snapshot that it has exported can be imported');
like(query($sender, 'SELECT count(*) FROM pg_class'), qr/^\d+$/, 'it goes on');
query($observer, "SELECT jemctx_purge($sender_pid)");
cmp_ok(backend($observer, $sender, 'cache'), '<', 1e6, 'without a snapshot its caches are dropped');
close_session($sender);

# One without a database drops them, too.
my $physical =
  session($node, connstr => $node->connstr('postgres') . " replication=true options='-c jemctx.idle_cache_limit=0'");
my $system = query($physical, 'IDENTIFY_SYSTEM');
my $physical_pid = query($observer, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walsender'");
like(query($observer, "SELECT jemctx_purge($physical_pid)"), qr/^\d+$/, 'a walsender without a database purges');
is(query($physical, 'IDENTIFY_SYSTEM'), $system, 'and goes on');
close_session($physical);

# One that streams is at rest when there is nothing to send.
my $stream = "$directory/stream";
my $receiver = IPC::Run::start([ 'pg_recvlogical', '-d', $node->connstr('postgres'), '--slot', 'stream',
	'--create-slot', '--start', '--no-loop', '-P', 'test_decoding', '-f', $stream ],
	'<', \undef, '2>', '/dev/null');
my $streaming = q(SELECT pid FROM pg_stat_replication WHERE state = 'streaming');
ok(poll(sub { query($observer, $streaming) ne '' }), 'a walsender streams');
ok(poll(sub { query($observer, "SELECT jemctx_purge(($streaming))") =~ /^\d+$/ }), 'and purges');
query($observer, 'CREATE TABLE streamed AS SELECT g FROM generate_series(1, 100000) g');
ok(poll(sub { -s $stream && slurp_file($stream) =~ /g\[integer\]:100000\nCOMMIT/ }), 'it has sent something');
ok(poll(sub { query($observer, "SELECT jemctx_purge(($streaming))") =~ /^\d+$/ }), 'and purges again');
$receiver->signal('INT');
eval { $receiver->finish };

# Idle is who has been for as long, not who was woken so often.
my $checked = session($node);
query($checked, "SET client_connection_check_interval = '100ms'; SET jemctx.idle_purge_after = '4s'");
my $checked_pid = pid_of($checked);
query($checked, big_sorts());
my $purges = backend($observer, $checked, 'purges');
ok(poll(sub { backend($observer, $checked, 'purges') > $purges }), 'a session whose connection is checked purges');
is( query($observer, "SELECT published_at > state_change + interval '3.9 s' FROM jemctx_backends
	JOIN pg_stat_activity USING (pid) WHERE pid = $checked_pid"),
	't', 'but not before its time');

# A reload reaches it as PostgreSQL has it, with the next statement, and what it has changed
# holds from then on.
my $reloaded = session($node);
query($reloaded, 'SET jemctx.dirty_decay = -1; ' . big_sorts());
$purges = backend($observer, $reloaded, 'purges');
query($observer, 'ALTER SYSTEM SET jemctx.idle_purge_after = 300');
query($observer, 'SELECT pg_reload_conf()');
ok(poll(sub { query($observer, 'SHOW jemctx.idle_purge_after') eq '300ms' }), 'a setting is changed');
is(query($reloaded, 'SHOW jemctx.idle_purge_after'), '300ms', 'an idle session has it with its next statement');
ok(poll(sub { backend($observer, $reloaded, 'purges') > $purges }), 'and does so');
query($observer, 'ALTER SYSTEM RESET jemctx.idle_purge_after');
query($observer, 'SELECT pg_reload_conf()');

# Caches that cannot be dropped: the client has not asked, so the error is not for it.
my $failing = session($node);
my $offset = -s $node->logfile;
query($failing, 'SET jemctx.idle_cache_limit = 0; SET failing.at_reset = on');
like(query($observer, 'SELECT jemctx_purge(' . pid_of($failing) . ')'),
	qr/^\d+$/, 'a session cannot drop its caches, and purges');
is(query($failing, 'SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND NOT fastpath'),
	'0', 'its client sees nothing, and it holds nothing');
like(slurp_file($node->logfile, $offset), qr/LOG:  could not drop the catalog caches: failing: reset/, 'the log does');
unlike(slurp_file($node->logfile, $offset), qr/WARNING/, 'nothing is left behind');

# A worker whose commit fails in somebody else's callback is freed of its memory, once.
append_to_file("$directory/failing.go", '');
my $went_on = ok(poll(sub { slurp_file($node->logfile) =~ /failing: the worker goes on/ }, $deadline),
	'a worker whose commits fail goes on');
kill 'KILL', query($observer, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'failing'") if !$went_on;
ok( poll(
		sub {
			query($observer, "SELECT purges >= 6, committed < 12e6 FROM jemctx_backends WHERE backend_type = 'failing'")
			  eq 't|t';
		}),
	'and has returned its memory');
$node->stop;

done_testing();
