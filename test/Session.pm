# Sessions of psql that stay connected, for tests and benchmarks.  What a session says is asked for when
# it is wanted: others may do something meanwhile.
package Session;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;

our @EXPORT_OK = qw(start_session send_query is_answered answer query has_ended close_session pid_of);

# What psql says when it has carried out a statement.
my $end = '=done=';

# Start a psql by its command. Fields: "deadline", seconds that an answer may take; "apart", to keep
# errors and notices out of the answers; what else the caller wants to find in the session.
sub start_session
{
	my ($command, %fields) = @_;
	my $session = { in => '', out => '', err => '', %fields };
	my @errors = $fields{apart} ? ('2>', \$session->{err}) : ('2>&1');

	# of one answer, not of the session's life
	$session->{timer} = IPC::Run::timeout($fields{deadline}) if defined $fields{deadline};
	$session->{psql} = IPC::Run::start($command, '<', \$session->{in}, '>', \$session->{out}, @errors,
		$session->{timer} // ());
	return $session;
}

# Exchange with psql what there is, or wait until there is something. False when psql has ended, or late.
sub pump
{
	my ($session, $call) = @_;

	return 1 if eval { $session->{psql}->pumpable && ($session->{psql}->$call, 1) };
	$session->{ended} = $@ =~ /timeout/ ? 'no answer in time' : 'psql has ended';
	return 0;
}

# Why there will be no more answers; nothing while there may be.
sub has_ended
{
	my ($session) = @_;

	return $session->{ended};
}

# Send a statement and do not wait.
sub send_query
{
	my ($session, $sql) = @_;

	$session->{out} = '';
	$session->{in} .= ($sql =~ /^\\|;$/ ? $sql : "$sql;") . "\n\\echo $end\n";
	$session->{timer}->start($session->{deadline}) if $session->{timer};
	while (length $session->{in})
	{
		pump($session, 'pump_nb') or last;
	}
	return;
}

# Has the statement been answered?  Does not wait.
sub is_answered
{
	my ($session) = @_;

	return $session->{out} =~ /^$end\n/m || !pump($session, 'pump_nb');
}

# What has come back; with errors and notices, if these are not kept apart.
sub answer
{
	my ($session) = @_;

	while ($session->{out} !~ /^$end\n/m)
	{
		pump($session, 'pump') or last;
	}
	$session->{timer}->reset if $session->{timer};
	my $text = $session->{out} =~ s/^$end\n//mr;
	chomp $text;
	return $text;
}

sub query
{
	my ($session, $sql) = @_;

	send_query($session, $sql);
	return answer($session);
}

sub close_session
{
	my ($session) = @_;

	$session->{timer}->start($session->{deadline}) if $session->{timer};
	$session->{in} .= "\\q\n" if $session->{psql}->pumpable;
	eval { $session->{psql}->finish };
	return;
}

# The process id of a session's backend.
sub pid_of
{
	my ($session) = @_;

	return $session->{pid} //= query($session, 'SELECT pg_backend_pid()');
}

1;
