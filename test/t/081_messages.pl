# Messages of a client's that are too large for a limit: in a transaction they are refused like anything else. The
# session is in step with its client afterwards, in every state. It takes a client that speaks the protocol itself.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use JemctxTest;
use lib "$ENV{TESTDIR}/test/interrupts";
use Wire;

my $MB = 1048576;
my $limit = 64;
my $large = 200;

my $node = new_node('main', "jit = off\njemctx.backend_memory_limit = '${limit}MB'\n");
$node->start;
my $observer = session($node);
my $server = { node => $node, name => 'main' };

# A message whose body ends with so many MB and what comes then: in pieces, and its first bytes by themselves.
sub write_large
{
	my ($wire, $type, $before, $size, $after) = @_;

	$wire->write($type . pack('N', 4 + length($before) + $size * $MB + length $after));
	poll(sub { is_waiting($wire) }) or die 'it does not read';
	$wire->write($before);
	$wire->write('x' x $MB) for 1 .. $size;
	$wire->write($after);
	return;
}

sub is_waiting
{
	my ($wire) = @_;

	return query($observer, "SELECT wait_event FROM pg_stat_activity WHERE pid = $wire->{pid}") eq 'ClientRead';
}

my $sync = Wire::message('S', '');

# What each sends for a message of so many MB, after what it has sent before; its transaction's state after an error.
my %kinds = (
	'a statement' => { send => sub { write_large($_[0], 'Q', "SELECT length('", $_[1], "')\0") }, after => 'I',
		granted => 1 },
	'a statement in a transaction' => {
		before => ['BEGIN'], send => sub { write_large($_[0], 'Q', "SELECT length('", $_[1], "')\0") }, after => 'E' },
	'a parameter' => {
		send => sub {
			my ($wire, $size) = @_;

			$wire->write(Wire::message('P', "\0SELECT length(\$1)\0" . pack('nN', 1, 25)));
			write_large($wire, 'B', "\0\0" . pack('nnN', 0, 1, $size * $MB), $size, pack('n', 0));
			$wire->write(Wire::message('E', "\0" . pack('N', 0)) . $sync);
		},
		after => 'I' });
$kinds{'a parameter in a transaction'} = { %{ $kinds{'a parameter'} }, before => ['BEGIN'], after => 'E' };
$kinds{'data to copy'} = {
	before => [ 'BEGIN', 'CREATE TEMP TABLE copied (t text)' ],
	send => sub {
		my ($wire, $size) = @_;

		$wire->write(Wire::query_message('COPY copied FROM STDIN'));
		$wire->wait_for(sub { $wire->bodies('G') }) or die 'no COPY: ' . $wire->complaint;
		# what comes after the error is dropped, and is no other statement's
		write_large($wire, 'd', '', $size, "\n") for 1 .. 3;
		$wire->write(Wire::message('c', ''));
	},
	after => 'E' };

for my $name (sort keys %kinds)
{
	my $kind = $kinds{$name};
	my $wire = Wire->new($server);

	$wire->query($_) for @{ $kind->{before} // [] };
	$wire->{messages} = [];
	$wire->{expected} = 1;
	$kind->{send}->($wire, $large);
	$wire->settle or die "$name: no answer: " . $wire->complaint;
	is_deeply([ $wire->errors ], ['53200'], "$name: is refused") or diag $wire->complaint;
	like(
		$wire->complaint,
		qr/This process holds \d+ kB, asked for \d+ kB more, and may have 65536 kB/,
		"$name: and why");
	is($wire->status, $kind->{after}, "$name: the transaction has failed, if there was one");
	$kind->{granted} or $name eq 'data to copy' or cmp_ok(
		query($observer, "SELECT committed_peak FROM jemctx_backends WHERE pid = $wire->{pid}"),
		'<',
		($limit + 2) * $MB,
		"$name: it has not been there");
	$wire->query('ROLLBACK') if $kind->{after} eq 'E';
	is($wire->query("SELECT length('a') + 1"), '2', "$name: the session goes on");
	$wire->{messages} = [];
	$wire->{expected} = 1;
	$kinds{'a statement'}{send}->($wire, 4);
	$wire->settle or die "$name: no answer: " . $wire->complaint;
	is(($wire->rows)[0], 4 * $MB, "$name: with what the limit allows");
	$wire->vanish;
}
unlike(slurp_file($node->logfile),
	qr/PANIC|FATAL:  (?!the database system)|terminated by signal/, 'nothing else has happened');
$node->stop;

done_testing();
