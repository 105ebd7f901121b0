# The states in which a backend waits for its client.  "enter" brings a session into the state, with
# settings that count from then on; "intact" says whether it goes on there as if nothing had been.
package States;

use strict;
use warnings;

use Exporter 'import';
use Wire;

our @EXPORT_OK = qw(%states);

# Statements that free enough to be worth a purge, and visit enough for the caches to be shed.
my @work =
  ("SELECT length(repeat('x', 2000000))", 'SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid');

# Send what sets and what enters in one go: a busy machine must not time it out between them.
sub asks
{
	my (@statements) = @_;

	return sub {
		my ($target) = @_;

		$target->{wire}->query(@work);
		$target->{wire}->ask(@{ $target->{settings} }, @statements);
		return $target->{wire}->settle;
	};
}

sub alive
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->ask("SELECT 'alive'");
	return $wire->settle(30) && !$wire->errors && ($wire->rows)[-1] eq 'alive' && $wire->status eq 'I';
}

# A result of a size that the client reads slowly, once the backend cannot send any more.  The
# backend calls itself idle before it flushes the end of the result.
sub read_result
{
	my ($target) = @_;
	my $wire = $target->{wire};
	my $state = '';

	$wire->query(@work);
	$wire->ask(@{ $target->{settings} }, "SELECT repeat('x', $target->{size})");
	while ($state !~ /^idle|ClientWrite/)
	{
		$state = $target->{server}{watcher}->query(
			"SELECT CASE WHEN query LIKE '%repeat%' THEN state || coalesce(wait_event, '') ELSE '' END
			   FROM pg_stat_activity WHERE pid = $wire->{pid}") // last;
	}
	$target->{flush_waited} = $state eq 'idleClientWrite';
	$wire->read_slowly;
	return $wire->{expected} <= 0;
}

sub enter_pipeline
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->query(@work, @{ $target->{settings} });
	$wire->{messages} = [];
	$wire->write(join('', map { Wire::extended("SELECT $_") } 1 .. 3) . Wire::message('H', ''));
	return $wire->wait_for(sub { $wire->bodies('C') == 3 });
}

sub finish_pipeline
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->{expected}++;
	$wire->write(Wire::extended("SELECT 'alive'") . Wire::message('S', ''));
	return $wire->settle(30) && !$wire->errors && ($wire->rows)[-1] eq 'alive';
}

# The first half of the next statement is there.
sub enter_partial
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->query(@work);
	$wire->ask(@{ $target->{settings} }, 'SELECT 1');
	$wire->write(substr(Wire::query_message("SELECT 'alive'"), 0, 9));
	return $wire->settle;
}

sub finish_partial
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->{messages} = [];
	$wire->{expected}++;
	$wire->write(substr(Wire::query_message("SELECT 'alive'"), 9));
	return $wire->settle(30) && !$wire->errors && ($wire->rows)[-1] eq 'alive';
}

sub enter_copy
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->query(@work, 'TRUNCATE copied', @{ $target->{settings} });
	$wire->ask('COPY copied FROM STDIN');
	$target->{lines} = 0;
	return $wire->wait_for(sub { $wire->bodies('G') }) && send_line($target);
}

# PostgreSQL reads the data of a COPY without looking at interrupts; it does so between lines.
sub send_line
{
	my ($target) = @_;

	$target->{wire}->write(Wire::message('d', $target->{lines}++ . "\n"));
	return 1;
}

sub finish_copy
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->write(Wire::message('c', ''));
	return $wire->settle(30) && !$wire->errors && ($wire->bodies('C'))[-1] eq "COPY $target->{lines}\0";
}

my $slots = 0;

sub enter_exported
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->query(@work);
	$slots++;
	$wire->ask(@{ $target->{settings} },
		"CREATE_REPLICATION_SLOT slot$slots TEMPORARY LOGICAL pgoutput (SNAPSHOT 'export')");
	$wire->settle or return 0;
	my ($row) = $wire->bodies('D');
	my @columns = unpack('n/(N/a)', $row);
	$target->{snapshot} = $columns[2];
	return 1;
}

# Another session can still have the snapshot.
sub snapshot_is_there
{
	my ($target) = @_;
	my $sender = $target->{server}{sender};

	$sender->ask('BEGIN ISOLATION LEVEL REPEATABLE READ', "SET TRANSACTION SNAPSHOT '$target->{snapshot}'", 'SELECT 1');
	$sender->settle;
	my $imported = !$sender->errors;
	$sender->query('ROLLBACK');
	return $imported && identifies($target);
}

sub identifies
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->ask('IDENTIFY_SYSTEM');
	return $wire->settle(30) && !$wire->errors && $wire->rows == 1;
}

sub has_plans
{
	my ($target) = @_;
	my $wire = $target->{wire};

	$wire->ask('EXECUTE p');
	return $wire->settle(30) && !$wire->errors && ($wire->rows)[-1] eq '500500';
}

our %states = (
	idle => { enter => asks('SELECT 1'), intact => \&alive },
	transaction => {
		enter => asks('BEGIN', 'SELECT count(*) FROM copied'),
		intact => sub {
			my $wire = $_[0]{wire};

			$wire->ask("SELECT 'alive'");
			return $wire->settle(30) && !$wire->errors && $wire->status eq 'T';
		},
	},
	failed => {
		enter => asks('BEGIN', 'SELECT 1/0'),
		intact => sub {
			my $wire = $_[0]{wire};

			$wire->ask('SELECT 1');
			return $wire->settle(30) && ($wire->errors)[0] eq '25P02' && $wire->status eq 'E';
		},
	},
	pipeline => { enter => \&enter_pipeline, intact => \&finish_pipeline },
	partial => { enter => \&enter_partial, intact => \&finish_partial },
	copy => { enter => \&enter_copy, intact => \&finish_copy, poke => \&send_line },
	result => { enter => \&read_result, intact => \&alive },
	tls => { enter => asks('SELECT 1'), intact => \&alive, connect => { tls => 1 } },
	listening => { enter => asks('LISTEN harness'), intact => \&alive },
	plans => {
		enter => asks('CREATE TEMP TABLE t AS SELECT g FROM generate_series(1, 1000) g',
			'PREPARE p AS SELECT sum(g) FROM t', ('EXECUTE p') x 6),
		intact => \&has_plans,
	},
	walsender => { enter => asks('IDENTIFY_SYSTEM'), intact => \&identifies, connect => { replication => 'database' } },
	physical => {
		enter => sub { identifies($_[0]) },
		intact => \&identifies,
		connect => { replication => 'true' },
	},
	exported => { enter => \&enter_exported, intact => \&snapshot_is_there, connect => { replication => 'database' } },
);

1;
