# Sessions that need more than a control group has, and many that need less at a time but would keep more:
# nobody is killed, who is refused memory gets an error, and an administrator gets in. Nothing is configured.
#
# Control group of 1024 MB.
#
# JEMCTX_GROUP_SECONDS=300 has the many go on for so long.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use JemctxTest;

plan skip_all => 'needs a control group with a limit' unless $ENV{CONTROL_GROUP_LIMIT};

my $seconds = $ENV{JEMCTX_GROUP_SECONDS} // 15;
my $node = new_node('main', <<'CONF');
jit = off
max_parallel_workers_per_gather = 0
work_mem = '4GB'
max_connections = 60
CONF
$node->start;
$node->safe_psql('postgres', "CREATE ROLE $_ LOGIN") for qw(ordinary monitor signaller);
$node->safe_psql('postgres', 'GRANT pg_monitor TO monitor; GRANT pg_signal_backend TO signaller');
my $start_time = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

sub session_of
{
	my ($user) = @_;

	return session($node, connstr => $node->connstr('postgres') . " user=$user");
}

sub nobody_was_killed
{
	my ($what) = @_;

	is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $start_time, "$what: the server goes on");
	unlike(slurp_file($node->logfile), qr/terminated by signal/, "$what: nobody was killed");
	return;
}

is( $node->safe_psql('postgres', 'SELECT memory_limit, limit_source FROM jemctx_server'),
	"$ENV{CONTROL_GROUP_LIMIT}|control group",
	'the limit is the group\'s');

#
# Many that need less than there is, one after another
#

# 64 MB.
my $sort = 'SELECT count(*) FROM (SELECT g, repeat($$x$$, 1000) t FROM generate_series(1, 60000) g ORDER BY g DESC) s';
my @sessions = map { session_of('ordinary') } 1 .. 40;
my $most_at_once = 5;
my ($sorts, $next, @errors, @busy) = (0, 0);
my $begin = time;
while (time < $begin + $seconds || $sorts <= @sessions || @busy)
{
	my @still;

	for my $session (@busy)
	{
		if (!is_answered($session))
		{
			push(@still, $session);
			next;
		}
		my $answer = answer($session);

		$sorts++;
		push(@errors, $answer) if $answer ne '60000';
	}
	@busy = @still;
	while (@busy < $most_at_once && (time < $begin + $seconds || $sorts <= @sessions))
	{
		my $session = $sessions[ $next++ % @sessions ];

		send_query($session, $sort);
		push(@busy, $session);
	}
	sleep 0.01;
}
note sprintf '%d sorts in %.1f s, %.2f a second', $sorts, time - $begin, $sorts / (time - $begin);
is(join("\n", @errors), '', 'what fits is not refused');
nobody_was_killed('many that fit');
note $node->safe_psql('postgres', 'SELECT row_to_json(s) FROM jemctx_server s');
close_session($_) for @sessions;

#
# Some that need more
#

my $refusal = qr/ERROR:  53200: out of memory/;
my @hogs = map { session_of('ordinary') } 1 .. 12;
query($_, '\set VERBOSITY verbose') for @hogs;
query($_, 'BEGIN') for @hogs;
# So many kB, in pieces.
my $hold = 'DECLARE c%d CURSOR FOR SELECT g, repeat($$x$$, %d) t FROM generate_series(1, 160) g ORDER BY g;'
  . 'MOVE 1 IN c%d';
my @pieces = (1000000, 300000, 30000, 3000, 300);
my ($refused, $held, @wrong) = (0, 0);
for my $turn (0 .. $#pieces)
{
	query($_, 'SAVEPOINT s') for @hogs;
	send_query($_, sprintf($hold, $turn, $pieces[$turn], $turn)) for @hogs;
	for my $hog (@hogs)
	{
		my $answer = answer($hog);

		$refused++ if $answer =~ $refusal;
		$held++ if $answer eq '';
		push(@wrong, $answer) if $answer ne '' && $answer !~ $refusal;
		query($hog, 'ROLLBACK TO s') if $answer ne '';
	}
}
is(join("\n", @wrong), '', 'all errors are refusals');
cmp_ok($refused, '>=', 6, 'some are refused memory: twelve that want 160 MB each');
cmp_ok($held, '>', 3, 'others have it');
note "$held statements have memory, $refused were refused it";
nobody_was_killed('some that do not fit');

# Who may look and act does.
my $largest = 'SELECT pid FROM jemctx_backends b JOIN pg_stat_activity a USING (pid)'
  . " WHERE a.usename = 'ordinary' ORDER BY committed DESC LIMIT 1";
my $began = time;
my $superuser = session_of($node->safe_psql('postgres', 'SELECT current_user'));
like(query($superuser, $largest), qr/^\d+$/, 'a superuser sees who has most');
like(query($superuser, 'SELECT pressure FROM jemctx_server'), qr/^high$/, 'and that there is pressure');
note sprintf 'in %.2f s', time - $began;
$began = time;
my $monitor = session_of('monitor');
my $hog = query($monitor, $largest);
like($hog, qr/^\d+$/, 'so does a member of pg_monitor');
my $signaller = session_of('signaller');
is(query($signaller, "SELECT pg_terminate_backend($hog)"), 't', 'a member of pg_signal_backend ends it');
note sprintf 'looked, and ended a session, in %.2f s', time - $began;
ok(poll(sub { query($monitor, "SELECT count(*) FROM pg_stat_activity WHERE pid = $hog") eq '0' }), 'it ends');
my @left = grep { query($_, 'SELECT 1') eq '1' } @hogs;
is(scalar(@left), 11, 'the others go on, in their transactions');
is(query($left[0], sprintf($hold, 9, 100000, 9)), '', 'and may have what it had');
close_session($_) for @left;
nobody_was_killed('administrators');
$node->stop;

done_testing();
