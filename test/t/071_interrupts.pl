# A backend in each state in which it can wait for its client, and every interrupt sent to it: when
# does it take effect, and when on a server without jemctx, at the same moment?  No test of
# pg_regress has two servers, or a client that reads slowly, sends half a message or goes.
#
# INTERRUPTS=all has 200 sizes of results, each with all interrupts, and several rounds of the other states.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use lib map { "$ENV{TESTDIR}/$_" } 'test', 'test/interrupts';
use Interrupts qw(%interrupts);
use Servers qw(start_pair start_standbys stop_all);
use States qw(%states);
use Wire;

# So much later than the latest of the server without jemctx is late, and so much is lost, in seconds.
my $late = 0.5;
my $lost = 20;

my $all = ($ENV{INTERRUPTS} // '') eq 'all';
my $rounds = $all ? 3 : 1;

# How long a client has been silent: the interrupt comes before, with, and after a purge at idle.
my @silences = (0, 0.05, 0.1, 0.2);

my @pair = start_pair();
my @standbys = start_standbys(@pair);
my $has_tls = $pair[0]{watcher}->query('SHOW ssl') eq 'on';

# By interrupt: the latencies on either server, and what went wrong.
my %measured;
my $flushes_waited = 0;
my $cells = 0;

# A session on a server, in the state.
sub enter
{
	my ($server, $state, $interrupt, $size) = @_;
	my $target = { server => $server, size => $size, settings => $interrupt->{settings} // [] };

	$interrupt->{before}->($target) if $interrupt->{before};
	$target->{wire} = Wire->new($server, %{ $states{$state}{connect} // {} },
		$interrupt->{in_database} ? (database => $target->{database}) : ());
	$states{$state}{enter}->($target)
	  or die "$server->{name}: not in the state \"$state\": " . $target->{wire}->complaint . "\n";
	$target->{entered} = time;
	return $target;
}

sub fire
{
	my ($target, $interrupt) = @_;

	$target->{log_at} = -s $target->{server}{node}->logfile;
	$target->{fired} = $interrupt->{settings} && $interrupt->{after} ? $target->{entered} : time;
	$interrupt->{fire}->($target);
	return;
}

# Wait until both have taken notice, or it is too late.
sub wait_for_effect
{
	my ($state, $interrupt, @targets) = @_;
	my $end = time + $lost + ($interrupt->{after} // 0);

	while (1)
	{
		my @waiting = grep { !defined $_->{latency} } @targets;
		last if !@waiting || time > $end;
		for my $target (@waiting)
		{
			$states{$state}{poke}->($target) if $states{$state}{poke} && $target->{wire}{socket};
			next if !$interrupt->{done}->($target);
			$target->{latency} = time - $target->{fired} - ($interrupt->{after} // 0);
		}
		sleep 0.002;
	}
	return;
}

# Those that are left must be as they were; one that hangs is ended by its client.
sub leave
{
	my ($state, $interrupt, $name, $target) = @_;
	my $key = $target->{server}{has_jemctx} ? 'jemctx' : 'stock';

	push @{ $measured{$name}{$key} }, $target->{latency} // $lost;
	if (defined $target->{latency} && !$interrupt->{ends} && !$states{$state}{intact}->($target))
	{
		push @{ $measured{$name}{broken} }, $key;
		diag "$key, $state, $name: the session does not go on: " . $target->{wire}->complaint;
	}
	$target->{wire}->vanish;
	$_->settle or die "$target->{server}{name}: a session does not come back"
	  for @{ $target->{server}{primary} }{qw(sender watcher)}, $target->{server}{watcher};
	return;
}

sub measure
{
	my ($state, $name, $size) = @_;
	my $interrupt = $interrupts{$name};
	my $silence = $silences[ $cells++ % @silences ];
	my @servers = $interrupt->{standby} ? @standbys : @pair;

	@servers = reverse @servers if $cells % 2;
	my @targets = map { enter($_, $state, $interrupt, $size) } @servers;
	$flushes_waited++ if grep { $_->{server}{has_jemctx} && $_->{flush_waited} } @targets;
	sleep $silence;
	fire($_, $interrupt) for @targets;
	wait_for_effect($state, $interrupt, @targets);
	push @{ $measured{$name}{where} }, $state . ($size ? " $size" : '');
	leave($state, $interrupt, $name, $_) for @targets;
	return;
}

# Whether the flush of a result's end has to wait depends on its size, and on what a socket takes.
sub waiting_sizes
{
	my ($count) = @_;
	my @sizes;

	for (my $size = 100_000; $size < 600_000 && @sizes < $count; $size += 1000)
	{
		my $target = enter($pair[0], 'result', {}, $size);
		push @sizes, $size if $target->{flush_waited};
	}
	return @sizes;
}

sub measure_states
{
	for my $name (sort keys %interrupts)
	{
		for my $state (@{ $interrupts{$name}{states} })
		{
			next if $state eq 'result' || ($state eq 'tls' && !$has_tls);
			measure($state, $name);
		}
	}
	return;
}

# Each size has all the interrupts, or one of them.
sub measure_results
{
	my ($every, @sizes) = @_;
	my @names = grep { grep { $_ eq 'result' } @{ $interrupts{$_}{states} } } sort keys %interrupts;

	for my $size (@sizes)
	{
		push @names, shift @names;
		measure('result', $_, $size) for $every ? @names : $names[-1];
	}
	return;
}

sub largest { return (sort { $a <=> $b } @{ $_[0] })[-1] }

sub median { my @sorted = sort { $a <=> $b } @{ $_[0] }; return $sorted[ @sorted / 2 ] }

# The places where the latency was so much.
sub places
{
	my ($row, $limit) = @_;

	return
	  map { sprintf '%s (%.2f s)', $row->{where}[$_], $row->{jemctx}[$_] }
	  grep { $row->{jemctx}[$_] > $limit } 0 .. $#{ $row->{where} };
}

# One interrupt's row; returns how many were late.
sub report
{
	my ($name, $row) = @_;
	my $limit = $late + largest($row->{stock});
	my @places = places($row, $limit);

	note sprintf '%-36s %6d %8.3f %8.3f %8.3f %8.3f %6d %6d', $name, scalar @{ $row->{where} }, median($row->{jemctx}),
		largest($row->{jemctx}),
	  median($row->{stock}), largest($row->{stock}), scalar @places, scalar grep { $_ > $late } @{ $row->{stock} };
	# what is lost on either server shows nothing
	ok(!@places && !$row->{broken} && largest($row->{stock}) < $lost, "$name: none late or lost")
	  or diag join ', ', @places, @{ $row->{broken} // [] };
	return scalar @places;
}

# A backend is idle by the clock, however often it is woken: a check of the connection makes it no older.
sub idle_by_the_clock
{
	my $wire = Wire->new($pair[0]);
	my $purges = "SELECT purges FROM jemctx_backends WHERE pid = $wire->{pid}";

	$wire->query(
		'SET jemctx.idle_purge_after = 60000',
		'SET jemctx.dirty_decay = -1',
		'SET client_connection_check_interval = 50');
	$wire->query("SELECT length(repeat('x', 50000000))");
	my $before = $pair[0]{watcher}->query($purges);
	for (1 .. 5)
	{
		$wire->query("SELECT length(repeat('x', 50000000))");
		sleep 0.12;
	}
	is($pair[0]{watcher}->query($purges), $before, 'a session that is not silent for long enough does not purge');
	return;
}

idle_by_the_clock();
my @sizes = $all ? map { 100_000 + 1000 * $_ } 0 .. 199 : waiting_sizes(12);
measure_states() for 1 .. $rounds;
measure_results($all, @sizes, $all ? waiting_sizes(40) : ());
cmp_ok($flushes_waited, '>', 0, "the end of a result had to wait for its client: $flushes_waited times");

note sprintf '%-36s %6s %8s %8s %8s %8s %6s %6s', 'interrupt', 'sent', 'median', 'latest', 'stock', 'latest', 'late',
  'stock';
my $total = 0;
$total += report($_, $measured{$_}) for sort keys %measured;
note "$cells interrupts, $total late or lost";
stop_all(@pair, @standbys);

done_testing();
