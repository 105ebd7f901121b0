# The server's limit holds, whatever its sessions have had and given back: what
# the kernel says they have, all of one moment, is never more than the limit and
# 1 MB for each process, which is lent.
# pg_regress has one session.
# JEMCTX_LIMIT_SECONDS=120 goes on for so long.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use JemctxTest;
use NamespaceTest;

my $MB = 1048576;
my $limit = 160;
my $seconds = $ENV{JEMCTX_LIMIT_SECONDS} // 10;
my $seed = $ENV{JEMCTX_LIMIT_SEED} // int(time);
srand($seed);
note "JEMCTX_LIMIT_SEED=$seed";

my $node = new_node('main', <<CONF);
jit = off
max_parallel_workers_per_gather = 0
work_mem = '4GB'
jemctx.server_memory_limit = '${limit}MB'
jemctx.idle_purge_after = -1
CONF
$node->start;
my $observer = session($node);
my $postmaster = postmaster_pid($node);
my $start_time = query($observer, 'SELECT pg_postmaster_start_time()');
my $keeper = keeper_pid($node);

# Superusers may have more.
query($observer, 'CREATE ROLE ordinary LOGIN');
query($observer, 'GRANT EXECUTE ON FUNCTION jemctx_purge_all() TO ordinary');
query($observer, 'GRANT pg_signal_backend TO ordinary');
query($observer, "GRANT SET ON PARAMETER $_ TO ordinary") for qw(jemctx.idle_purge_after jemctx.dirty_decay);

#
# What the kernel says
#

# The processes of the server, but those that have no shared memory to tell others in.
sub processes
{
	my @children = split ' ', slurp_file("/proc/$postmaster/task/$postmaster/children");

	return grep { (eval { slurp_file("/proc/$_/cmdline") } // '') !~ /logger/ } @children;
}

# Memory of its own that a process has, in kB: private mappings without a name, and what it shares there
# with others by its part. Stacks and the data of libraries have names, and are not what a limit is about.
sub anonymous
{
	my ($pid) = @_;
	my ($sum, $counts) = (0, 0);

	for (split /\n/, eval { slurp_file("/proc/$pid/smaps") } // '')
	{
		if (/^[0-9a-f]+-[0-9a-f]+ (\S+) \S+ \S+ \d+\s*(.*)$/)
		{
			$counts = $1 =~ /p$/ && $2 eq '';
		}
		elsif ($counts && /^Pss: +(\d+) kB/)
		{
			$sum += $1;
		}
	}
	return $sum;
}

# As the kernel calls it: running, sleeping and so on.  Empty for a process that is gone.
sub state_of
{
	my ($pid) = @_;

	return (eval { slurp_file("/proc/$pid/stat") } // '') =~ /^.*\) (\w)/ ? $1 : '';
}

sub is_still
{
	return state_of($_[0]) !~ /[RSD]/;
}

# Stop all, look, and go on.  Returns the bytes that there are, and for how many processes.  On a busy machine
# one may not have run since the last look; the keeper, which others wait for, must have had its turn.
sub look
{
	my @pids = processes();
	my $sum = 0;

	poll(sub { state_of($keeper) eq 'S' }) or die 'the keeper does not come to rest';
	kill 'STOP', @pids;
	poll(sub { !grep { !is_still($_) } @pids }) or die 'they go on';
	$sum += anonymous($_) for $postmaster, @pids;
	kill 'CONT', @pids;
	return ($sum * 1024, scalar @pids);
}

my ($most, $looks, $worst) = (0, 0, -1e12);

sub check
{
	my ($sum, $count) = look();

	$looks++;
	$most = $sum if $sum > $most;
	my $beyond = $sum - ($limit + $count) * $MB;
	$worst = $beyond if $beyond > $worst;
	return;
}

sub limit_is_kept
{
	my ($what) = @_;

	cmp_ok($worst, '<=', 0, "$what: at most the limit and 1 MB for each process");
	note sprintf '%s: %.1f MB at most, %.1f below what is allowed, looked %d times', $what, $most / $MB, -$worst / $MB,
	  $looks;
	cmp_ok($most, '>', $limit * $MB / 2, "$what: and it was much");
	($most, $looks, $worst) = (0, 0, -1e12);
	return;
}

sub new_session
{
	my $session = session($node, connstr => $node->connstr('postgres') . ' user=ordinary');

	query($session, '\set VERBOSITY verbose');
	pid_of($session);
	return $session;
}

sub sort_of
{
	my ($rows) = @_;

	return "SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, $rows) g ORDER BY m) s";
}

my $refusal = qr/ERROR:  53200: out of memory/;

#
# Sessions that had much before
#

pid_of($observer);
my @sessions = map { new_session() } 1 .. 4;
for my $session (@sessions)
{
	is(query($session, sort_of(300000)), '300000', 'one alone sorts');
	query($session, 'SELECT jemctx_purge()');
}
send_query($_, sort_of(300000)) for @sessions;
until (@sessions == grep { is_answered($_) } @sessions)
{
	check();
	sleep 0.02;
}
my @answers = map { answer($_) } @sessions;
is(scalar(grep { $_ !~ /^300000$|$refusal/ } @answers), 0, 'together they sort or are refused')
  or diag join "\n", @answers;
cmp_ok(scalar(grep { $_ =~ $refusal } @answers), '>', 0, 'there is no room for all');
limit_is_kept('sessions that had much before');

#
# Sessions that grow together, in small steps, and hold what they have got
#

my $grow = q(DO $$
	DECLARE kept text[];
	BEGIN
		BEGIN
			FOR i IN 1 .. 1000 LOOP
				kept[i] := repeat(lpad(i::text, 32), 3000);
				PERFORM pg_sleep(0.001);
			END LOOP;
		EXCEPTION WHEN out_of_memory THEN NULL;
		END;
		RAISE NOTICE 'holds';
		PERFORM pg_advisory_lock_shared(77);
		RAISE NOTICE '% kept', coalesce(array_length(kept, 1), 0);
	END $$);

push(@sessions, new_session()) while @sessions < 16;
query($observer, 'SELECT pg_advisory_lock(77)');
send_query($_, $grow) for @sessions;
ok(poll(sub { check(); @sessions == grep { is_answered($_) || $_->{out} =~ /holds/ } @sessions }),
	'together they grow');
check();
query($observer, 'SELECT pg_advisory_unlock(77)');
@answers = map { answer($_) } @sessions;
is(scalar(grep { $_ !~ /\d kept$|$refusal/m } @answers), 0, 'and hold what they have') or diag join "\n", @answers;
cmp_ok(scalar(grep { $_ !~ /1000 kept$/m } @answers), '>', 0, 'until they are refused');
limit_is_kept('sessions that grow together');

#
# Sessions that do anything
#

my @actions = (
	sub { sort_of(int(rand(400000)) + 1) },
	sub { sort_of(int(rand(40000)) + 1) },
	sub { 'SELECT length(repeat($$x$$, ' . int(rand(60e6)) . '))' },
	sub { 'BEGIN; DECLARE c CURSOR FOR SELECT g, md5(g::text) m FROM generate_series(1, ' . int(rand(150000))
		  . ') g ORDER BY m; MOVE 1 IN c' },
	sub { 'ROLLBACK' },
	sub { 'ROLLBACK; SELECT jemctx_purge()' },
	sub { 'SELECT jemctx_purge_all()' },
	sub { 'SELECT pg_sleep(' . rand(0.5) . ')' },
	sub { 'SET jemctx.idle_purge_after = ' . (-1, 0, 100)[ rand 3 ] },
	sub { 'SET jemctx.dirty_decay = ' . (-1, 0, 60000)[ rand 3 ] });

# A session has come to its end, by itself or by another's hand; another takes its place.
sub replace
{
	my ($session) = @_;

	query($observer, 'SELECT pg_terminate_backend(' . pid_of($session) . ')') if rand() < 0.5;
	close_session($session);
	return new_session();
}

my ($refused, @wrong) = (0);
my $end = time + $seconds;

# Chance may have it that there was no lack of memory so far.
while (time < $end || (time < $end + 180 && ($refused == 0 || $most <= $limit * $MB / 2)))
{
	for my $session (@sessions)
	{
		next if defined $session->{asked} && !is_answered($session);
		my $answer = defined $session->{asked} ? answer($session) : '';

		$refused++ if $answer =~ /53200/;
		push(@wrong, $answer) if $answer =~ /ERROR|FATAL/ && $answer !~ /53200|25P02|could not|42P03|34000/;
		if (defined $session->{asked} && rand() < 0.02)
		{
			$session = replace($session);
			next;
		}
		$session->{asked} = $actions[ rand @actions ]->();
		send_query($session, $session->{asked});
	}
	check();
}
limit_is_kept('sessions that do anything');
is(join("\n", @wrong), '', 'all they get is refusals');
cmp_ok($refused, '>', 0, 'which there are');
close_session($_) for @sessions;
is(query($observer, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
ok(poll(sub { query($observer, "SELECT committed < 60000000 FROM jemctx_server") eq 't' }), 'nothing is left claimed');

#
# Sessions that free most of what they inherited: lines about who may connect from where
#

for my $lines (1000, 3000)
{
	$node->append_conf('pg_hba.conf', join "\n", map { "host all user$_ 10.0.0.0/8 scram-sha-256" } 1 .. $lines);
	$node->restart;
	$postmaster = postmaster_pid($node);
	$keeper = keeper_pid($node);
	$observer = session($node);
	@sessions = map { new_session() } 1 .. 8;
	# what is prepared is touched, all of it
	query($_, q(DO $$ BEGIN FOR i IN 1 .. 30 LOOP
		EXECUTE format('PREPARE p%s AS SELECT * FROM pg_class WHERE relname = $1', i); END LOOP; END $$)) for @sessions;
	my $counted = query($observer, 'SELECT committed FROM jemctx_server');
	my ($there, $processes) = look();
	cmp_ok($there - $counted, '<=', $processes * $MB, "$lines lines: all but 1 MB for each process is counted");
	note sprintf 'counted: %.1f MB, there: %.1f MB', $counted / $MB, $there / $MB;
	close_session($_) for @sessions, $observer;
}

# What one has had for itself as it started is not what it inherited.
$observer = session($node);
query($observer, 'ALTER ROLE ordinary SET session_preload_libraries = jemctx_test');
query($observer, 'ALTER ROLE ordinary SET jemctx_test.at_start = $$24MB$$');
my $plain = session($node);
my $larger = new_session();
is(query($larger, 'SHOW jemctx_test.at_start'), '24MB', 'a session that was larger as it started');
ok(poll(sub { backend($observer, $larger, 'committed') < 12e6 }), 'and is no more');
my $inherited = backend($observer, $plain, 'inherited');
cmp_ok($inherited, '>', 500000, 'a session inherits something');
cmp_ok(abs(backend($observer, $larger, 'inherited') - $inherited), '<', 300000, 'the other has inherited as much');
close_session($_) for $plain, $larger, $observer;
$node->stop;

done_testing();
