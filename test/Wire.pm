# A client that speaks PostgreSQL's protocol itself: it may read as slowly as it likes, send half a
# message, and go without a word.
package Wire;

use strict;
use warnings;

use IO::Socket::UNIX;
use IO::Socket::INET;
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC MSG_DONTWAIT);
use Time::HiRes qw(time sleep);

# How long an answer may take before the server is taken for dead.
my $deadline = 300;

# Connect to a server, in a database, or as a walsender ("replication" is the parameter's value); or
# through TLS.  Of the server it takes "socket", or the "node" that has one, and "name".
sub new
{
	my ($class, $server, %parameters) = @_;
	my $tls = delete $parameters{tls};
	my $self = bless { in => '', messages => [], expected => 1, eof => 0 }, $class;

	$self->{socket} = $tls ? $self->through_tls($server->{tls_port}) : plain($server);
	%parameters = (user => scalar getpwuid($<), database => 'postgres', %parameters);
	my $startup = pack('N', 196608) . join('', map { "$_\0$parameters{$_}\0" } sort keys %parameters) . "\0";
	$self->write(pack('N', 4 + length $startup) . $startup);
	$self->settle or die "cannot connect to $server->{name}: " . $self->complaint;
	my ($key) = map { $_->[1] } grep { $_->[0] eq 'K' } @{ $self->{messages} };
	$self->{pid} = unpack('N', $key);
	return $self;
}

sub plain
{
	my ($server) = @_;
	my $path = $server->{socket} // $server->{node}->host . '/.s.PGSQL.' . $server->{node}->port;

	return IO::Socket::UNIX->new(Peer => $path)
	  // die "cannot connect to $server->{name}: $!";
}

# openssl encrypts for us.
sub through_tls
{
	my ($self, $port) = @_;

	socketpair(my $ours, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
	$self->{openssl} = fork // die "cannot fork: $!";
	if ($self->{openssl} == 0)
	{
		open(STDIN, '<&', $its) and open(STDOUT, '>&', $its) and open(STDERR, '>', '/dev/null');
		close $ours;
		exec 'openssl', 's_client', '-quiet', '-starttls', 'postgres', '-connect', "127.0.0.1:$port";
		die $!;
	}
	close $its;
	return $ours;
}

# The client goes, and says nothing.
sub vanish
{
	my ($self) = @_;

	close $self->{socket} if $self->{socket};
	if ($self->{openssl})
	{
		kill 'KILL', $self->{openssl};
		waitpid $self->{openssl}, 0;
	}
	delete @$self{qw(socket openssl)};
	return;
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!);
	$self->vanish;
	return;
}

sub write
{
	my ($self, $bytes) = @_;

	while (length $bytes)
	{
		my $sent = syswrite($self->{socket}, $bytes);
		last if !defined $sent;
		substr($bytes, 0, $sent, '');
	}
	return;
}

# A message's bytes.
sub message
{
	my ($type, $body) = @_;

	return $type . pack('N', 4 + length $body) . $body;
}

sub query_message { return message('Q', "$_[0]\0") }

# Parse, Bind and Execute of a statement.
sub extended
{
	my ($sql) = @_;

	return
		message('P', "\0$sql\0" . pack('n', 0))
	  . message('B', "\0\0" . pack('nnn', 0, 0, 0))
	  . message('E', "\0" . pack('N', 0));
}

# Send statements, all at once, and do not wait; what came before is forgotten.
sub ask
{
	my ($self, @statements) = @_;

	$self->{messages} = [];
	$self->{expected} += @statements;
	$self->write(join '', map { query_message($_) } @statements);
	return;
}

# Take what has come, at most so many bytes.
sub pump
{
	my ($self, $most) = @_;
	my $got = recv($self->{socket}, my $bytes, $most // 65536, MSG_DONTWAIT);

	if (!defined $got)
	{
		$self->{eof} = 1 if !$!{EAGAIN} && !$!{EINTR};
		return;
	}
	$self->{eof} = 1 if !length $bytes;
	$self->{in} .= $bytes;
	while (length $self->{in} > 4)
	{
		my ($type, $length) = unpack('aN', $self->{in});
		last if length $self->{in} < 1 + $length;
		push @{ $self->{messages} }, [ $type, substr($self->{in}, 5, $length - 4) ];
		substr($self->{in}, 0, 1 + $length, '');
		$self->{expected}-- if $type eq 'Z';
	}
	return;
}

# Wait for at most so long until there is something to read.
sub readable
{
	my ($self, $seconds) = @_;

	vec(my $bits = '', fileno($self->{socket}), 1) = 1;
	return select($bits, undef, undef, $seconds);
}

sub wait_for
{
	my ($self, $code, $seconds) = @_;
	my $end = time + ($seconds // $deadline);

	while (1)
	{
		return 1 if $code->();
		return 0 if $self->{eof} || time > $end;
		$self->pump if $self->readable(0.1);
	}
}

# Every statement has been answered.  False if the server has ended the session, or takes too long.
sub settle
{
	my ($self, $seconds) = @_;

	return $self->wait_for(sub { $self->{expected} <= 0 }, $seconds);
}

# The same, and does not wait.
sub is_settled
{
	my ($self) = @_;

	$self->pump;
	return $self->{expected} <= 0;
}

# Read the answer in small pieces, with time for the server to be waiting again.
sub read_slowly
{
	my ($self) = @_;

	while ($self->{expected} > 0 && !$self->{eof})
	{
		$self->pump(8192) if $self->readable(1);
		sleep 0.0003;
	}
	return;
}

# Ask, and have the first column of the first row.
sub query
{
	my ($self, @statements) = @_;

	$self->ask(@statements);
	$self->settle or die 'no answer: ' . $self->complaint;
	die $self->complaint if $self->errors;
	return ($self->rows)[-1];
}

sub bodies
{
	my ($self, $type) = @_;

	return map { $_->[1] } grep { $_->[0] eq $type } @{ $self->{messages} };
}

# The first column of each row.
sub rows
{
	my ($self) = @_;

	return
	  map { my (undef, $length) = unpack('nN', $_); $length == 0xffffffff ? undef : substr($_, 6, $length) }
	  $self->bodies('D');
}

# The codes of the errors.
sub errors
{
	my ($self) = @_;

	return map { /\0C([^\0]*)\0/ ? $1 : '?' } $self->bodies('E');
}

# The state of the transaction, as the last ReadyForQuery says.
sub status { return ($_[0]->bodies('Z'))[-1] // '' }

sub complaint
{
	my ($self) = @_;

	return join(' ', map { s/\0/ /gr } $self->bodies('E'), $self->bodies('N'))
	  || ($self->{eof} ? 'the connection is closed' : 'too late');
}

1;
