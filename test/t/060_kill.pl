# Processes are killed, each at every step that a failpoint marks or at any time, while sessions and
# background workers use namespaces, contexts and a table: no row is lost whose commit was
# acknowledged, no memory is handed out twice, no pointer is used that is not valid any more, and the
# server comes back.  test/kill runs many rounds of this, KILL_ROUNDS and KILL_SEED say how many
# and in which order.
use strict;
use warnings;

use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use JemctxTest;
use NamespaceTest;

use_variant('checking');

my $rounds = $ENV{KILL_ROUNDS} // 12;
my $seed = $ENV{KILL_SEED} || time;
my $deadline = 120;
my $clients = 3;
my $statements = 2000;
my $node = namespace_node('main', "fsync = off\nmax_connections = 20\n");
my %count = (lost => 0, twice => 0, hang => 0, crashes => 0, committed => 0, objects => 0);
my %postmasters = (postmaster_pid($node) => 1);

srand($seed);
sql($node, 'CREATE TABLE ledger (client int, n int)');
sql($node, q(CREATE FUNCTION jemctx_debug_fault_names() RETURNS text AS '$libdir/jemctx' LANGUAGE C STRICT));
my @failpoints = grep { /^die_/ } split / /, sql($node, 'SELECT jemctx_debug_fault_names()');
my @kinds = (
	@failpoints,
	map {
		my $signal = $_;
		map { "$signal $_" } qw(backend worker keeper postmaster)
	} qw(KILL TERM));

# Until a state is reached.  What takes longer than the deadline hangs.
sub reach
{
	my ($what, $code) = @_;

	return 1 if poll($code, $deadline);
	$count{hang}++;
	diag "hangs: $what";
	return 0;
}

# What a program that ends by itself prints; nothing while the server does not accept connections.
sub try_sql
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $sql ],
		'<', \undef, '>', \$out, '2>', \$err)
	  or return;
	chomp $out;
	return $out;
}

#
# The load
#

# A session that commits a row, and says so when that is acknowledged, and uses memory.
sub start_client
{
	my ($round, $client) = @_;
	my $load = { client => $client, base => $round * $statements, out => '', err => '' };

	$load->{in} = join '', map {
		my $n = $load->{base} + $_;
		"INSERT INTO ledger VALUES ($client, $n) RETURNING n;\nSELECT jemctx_test_kill_load('a', $n);\n"
	} 0 .. $statements - 1;
	$load->{psql} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
		'<', \$load->{in}, '>', \$load->{out}, '2>', \$load->{err});
	return $load;
}

sub pump_all
{
	eval { $_->{psql}->pump_nb } for @_;
	return;
}

# Rows whose commit a client has been told.
sub acknowledged
{
	my ($load) = @_;

	return grep { /^\d+$/ } split /\n/, $load->{out} =~ s/[^\n]*\z//r;
}

sub backends
{
	return split /\n/,
	  try_sql("SELECT pid FROM pg_stat_activity WHERE query ~ '^(SELECT jemctx_test_kill_load|INSERT INTO ledger)'")
	  // '';
}

#
# What is killed
#

# Kill it, or let it kill itself; true if the server has to start over.
sub kill_one
{
	my ($kind, $worker) = @_;

	if ($kind =~ /^die_/)
	{
		fault($node, $kind, 1 + int rand 30);
		return 1;
	}
	my ($signal, $victim) = split / /, $kind;
	my $pid = $victim eq 'postmaster' ? postmaster_pid($node) : $victim eq 'keeper' ? keeper_pid($node)
	  : $victim eq 'worker' ? $worker : (shuffle backends())[0];
	kill $signal, $pid if defined $pid;
	return $signal eq 'KILL' && $victim ne 'postmaster';
}

# The server is there again after a process of it has died.
sub comes_back
{
	my ($offset, @loads) = @_;

	return reach('the server notices that a process has died', sub {
			pump_all(@loads);
			return substr(slurp_file($node->logfile), $offset) =~ /all server processes terminated; reinitializing/;
		}) && reach('the server comes back', sub { defined try_sql('SELECT 1') });
}

# The postmaster has gone, or goes as its clients go.
sub start_again
{
	my ($old) = @_;

	reach('the postmaster ends', sub { !kill 0, $old }) or return 0;
	my $started = reach('the server starts again', sub {
			$node->{_pid} = undef;
			return $node->start(fail_ok => 1);
		});
	$postmasters{ postmaster_pid($node) } = 1 if $started;
	return $started;
}

# Sessions and workers that are still there go.
sub end_load
{
	my (@loads) = @_;

	for my $load (@loads)
	{
		pump_all($load);
		eval { $load->{psql}->kill_kill(grace => 1) };
	}
	return;
}

sub nobody_works
{
	my ($worker) = @_;

	kill 'TERM', $worker;
	return reach('sessions end', sub { (try_sql("SELECT count(*) FROM pg_stat_activity
		WHERE backend_type IN ('client backend', 'jemctx_test kill')") // 9) == 1 })
	  && reach('the worker ends', sub { !kill 0, $worker });
}

#
# What must be true then
#

sub look_at_ledger
{
	my (@loads) = @_;

	for my $load (@loads)
	{
		my %there = map { $_ => 1 } split /\n/,
		  sql($node, "SELECT n FROM ledger WHERE client = $load->{client} AND n >= $load->{base}");
		my @acknowledged = acknowledged($load);
		my @lost = grep { !$there{$_} } @acknowledged;

		$count{committed} += @acknowledged;
		$count{lost} += @lost;
		diag "client $load->{client} has lost @lost" if @lost;
	}
	return;
}

# Nothing that a session or a worker has said, and nothing in the log, tells of memory that is not its owner's.
sub look_at_messages
{
	my ($offset, @loads) = @_;
	my $signal = qr/signal (?!9\b|15\b)\d+:/;
	my $pattern =
	  qr/handed out twice|not true|not an object in use|was freed|PANIC|TRAP|$signal|problem in memory context/;
	my @found = grep { /$pattern/ } map { split /\n/ } substr(slurp_file($node->logfile), $offset),
	  map { $_->{err} } @loads;

	$count{twice} += @found;
	diag $_ for @found;
	return;
}

# Namespaces that have survived are whole; others are there no more.
sub look_at_namespaces
{
	my ($started_over, $offset) = @_;

	if (!$started_over && substr(slurp_file($node->logfile), $offset) =~ /all server processes terminated/)
	{
		$count{lost}++;
		diag 'the server has started over, and why should it?';
		$started_over = 1;
	}
	if ($started_over)
	{
		my $left = sql($node, 'SELECT count(*) FROM jemctx_namespaces');

		$count{twice} += $left;
		diag 'a namespace has survived a crash' if $left;
		sql($node, "SELECT jemctx_namespace_create('a')");
		return;
	}
	$count{objects} += try_sql("SELECT jemctx_test_kill_check('a')") // 0;
	my $sum = figure($node, 'allocated + cached + free - committed');
	$count{lost} += $sum != 0;
	diag "the figures do not add up: $sum" if $sum != 0;
	sql($node, "SELECT jemctx_namespace_reset('a')");
	return;
}

sub run_round
{
	my ($round, $kind) = @_;
	my $offset = -s $node->logfile;
	my $postmaster = postmaster_pid($node);

	sql($node, "SELECT jemctx_test_kill_begin('a', 1000000 + $round)");
	my $worker = sql($node, "SELECT jemctx_test_kill_worker('a', " . ($round % 2 ? 'true' : 'false') . ')');
	my @loads = map { start_client($round, $_) } 1 .. $clients;
	reach('all clients work', sub { pump_all(@loads); !grep { !acknowledged($_) } @loads }) or return 0;
	my $until = time + rand 0.3;
	pump_all(@loads), sleep 0.01 while time < $until;

	my $crash = kill_one($kind, $worker);
	my $down = $kind =~ /postmaster/;
	$count{crashes} += $crash || $down ? 1 : 0;
	if ($crash)
	{
		comes_back($offset, @loads) or return 0;
	}
	elsif (!$down)
	{
		$until = time + 0.1;
		pump_all(@loads), sleep 0.01 while time < $until;
	}
	end_load(@loads);
	if ($down)
	{
		start_again($postmaster) or return 0;
	}
	elsif (!$crash)
	{
		nobody_works($worker) or return 0;
	}
	look_at_ledger(@loads);
	look_at_messages($offset, @loads);
	look_at_namespaces($crash || $down, $offset);
	return 1;
}

# System V's memory whose maker was one of our postmasters, and those who have it.
sub memory_left
{
	return grep { /^\d+\s+\S+\s+(\d+)/ && $postmasters{$1} } split /\n/, `ipcs -m -p`;
}

my @order;
my $done = 0;
for my $round (1 .. $rounds)
{
	@order = shuffle @kinds if !@order;
	my $kind = shift @order;

	last if !run_round($round, $kind);
	$done++;
	note sprintf('%4d %-16s %s', $round, $kind, join(', ', map { "$count{$_} $_" } sort keys %count));
}
my $summary = "$done rounds: $count{lost} lost, $count{twice} handed out twice, $count{hang} hang";
note "$count{crashes} crashes; $count{committed} commits acknowledged, $count{objects} objects checked; seed $seed";
is($summary, "$rounds rounds: 0 lost, 0 handed out twice, 0 hang", $summary);
cmp_ok($count{committed}, '>=', $rounds * $clients, 'there were rows to lose');
$node->stop('fast');
is(join("\n", memory_left()), '', 'no shared memory is left');

done_testing();
