# What is sent to a waiting backend.  "settings" count from when the session enters its state, "fire" sends the
# interrupt, and "done" says whether it has taken effect; "after" is how long it takes by itself.
package Interrupts;

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw(time sleep);
use PostgreSQL::Test::Utils;
use Wire;

our @EXPORT_OK = qw(%interrupts);

# of the timeouts, in seconds
my $timeout = 0.3;

sub sends
{
	my ($function) = @_;

	return sub { my ($target) = @_; $target->{server}{sender}->ask("SELECT $function($target->{wire}{pid})"); return };
}

# The session has been ended.
sub ended
{
	my ($target) = @_;

	$target->{wire}->pump if !$target->{wire}{eof};
	return $target->{wire}{eof};
}

sub has_error
{
	my ($code) = @_;

	return sub { my ($target) = @_; $target->{wire}->pump; return grep { $_ eq $code } $target->{wire}->errors };
}

sub process_gone { return !-d "/proc/$_[0]{wire}{pid}" }

# The server's log has it, since the interrupt was sent.
sub logged
{
	my ($what) = @_;

	return sub {
		my ($target) = @_;

		return slurp_file($target->{server}{node}->logfile, $target->{log_at}) =~ /$what/ && $1 == $target->{wire}{pid};
	};
}

# A database to be dropped, there before the session is.
sub make_database
{
	my ($target) = @_;
	my $primary = $target->{server}{primary};
	my $name = $target->{database} = 'dropped' . $primary->{next_database}++;

	$primary->{sender}->query("CREATE DATABASE $name");
	catch_up($target->{server});
	return;
}

sub drop_database
{
	my ($target) = @_;

	$target->{server}{primary}{sender}->ask("DROP DATABASE $target->{database}");
	return;
}


sub sender_settled { return $_[0]{server}{primary}{sender}->is_settled }

# A standby has what its primary has.
sub catch_up
{
	my ($server) = @_;

	return if $server->{primary} == $server;
	my $lsn = $server->{primary}{sender}->query('SELECT pg_current_wal_insert_lsn()');
	while ($server->{watcher}->query("SELECT pg_last_wal_replay_lsn() >= '$lsn'") ne 't')
	{
		sleep 0.005;
	}
	return;
}

# One statement's invalidation messages are half of what PostgreSQL keeps for those who are behind.
sub invalidate
{
	my ($target) = @_;

	$target->{server}{sender}->ask('UPDATE pg_amop SET amopmethod = amopmethod');
	return;
}


sub caught_up
{
	my ($target) = @_;

	return 1 if logged(qr/\[(\d+)\] .*ProcessCatchupEvent/)->($target);
	invalidate($target) if $target->{server}{sender}->is_settled;
	return 0;
}

sub notified
{
	my ($target) = @_;

	$target->{wire}->pump;
	return $target->{wire}->bodies('A') > 0;
}

# A setting that nobody else looks at; the session must see it with its next statement.
my $reloads = 0;

sub reload
{
	my ($target) = @_;

	$target->{value} = 1000 + ++$reloads % 8000;
	$target->{server}{sender}->ask("ALTER SYSTEM SET vacuum_cost_limit = $target->{value}", 'SELECT pg_reload_conf()');
	return;
}

sub reloaded
{
	my ($target) = @_;
	my ($wire, $sender) = ($target->{wire}, $target->{server}{sender});

	return 0 if !$sender->is_settled || !$wire->is_settled;
	return 1 if (($wire->rows)[-1] // '') eq $target->{value};
	$wire->ask('SHOW vacuum_cost_limit');
	return 0;
}

# Purges as jemctx does; without it, what is as quick to answer.
sub ask_for_purge
{
	my ($target) = @_;

	return sends($target->{server}{has_jemctx} ? 'jemctx_purge' : 'pg_log_backend_memory_contexts')->($target);
}

# A process that is busy says so, and an idle one must not.
sub purged
{
	my ($target) = @_;
	my $sender = $target->{server}{sender};

	return $sender->is_settled && !$sender->bodies('N') && !$sender->errors;
}

# Have a session run statements that do not end.
sub runs
{
	my (@statements) = @_;

	return sub { my ($target) = @_; $target->{wire}->ask(@statements); return };
}

my $ms = $timeout * 1000;
my @with_statements = qw(idle transaction tls listening plans result walsender);
my @idle = qw(idle tls partial listening plans result walsender);
my @all = (@idle, qw(transaction failed pipeline physical exported));

our %interrupts = (
	cancel => {
		states => \@all,
		fire => sends('pg_cancel_backend'),
		# a client that is silent has nothing to be cancelled, and goes on
		done => sub { $_[0]{server}{sender}->is_settled },
	},
	'cancel of COPY' => { states => ['copy'], fire => sends('pg_cancel_backend'), done => has_error('57014'),
		ends => 1 },
	terminate => { states => [ @all, 'copy' ], fire => sends('pg_terminate_backend'), done => \&ended, ends => 1 },
	barrier => { states => [ @all, 'copy' ], before => \&make_database, fire => \&drop_database,
		done => \&sender_settled },
	notify => {
		states => [qw(idle tls partial listening plans result)],
		settings => ['LISTEN harness'],
		fire => sub { $_[0]{server}{sender}->ask('NOTIFY harness'); return },
		done => \&notified,
	},
	reload => { states => \@with_statements, fire => \&reload, done => \&reloaded },
	'catch-up' => {
		states => [ grep { $_ ne 'physical' } @all ],
		settings => ['SET log_min_messages = debug4'],
		fire => \&invalidate,
		done => \&caught_up,
	},
	'log of contexts' => {
		states => [ @all, 'copy' ],
		fire => sends('pg_log_backend_memory_contexts'),
		done => logged(qr/logging memory contexts of PID (\d+)/),
	},
	purge => { states => [ grep { $_ ne 'pipeline' } @all ], fire => \&ask_for_purge, done => \&purged },
	statement_timeout => {
		states => \@with_statements,
		after => $timeout,
		fire => runs("SET statement_timeout = $ms", 'SELECT pg_sleep(600)'),
		done => has_error('57014'),
		ends => 1,
	},
	lock_timeout => {
		states => [ grep { $_ ne 'walsender' } @with_statements ],
		after => $timeout,
		fire => runs("SET lock_timeout = $ms", 'SELECT * FROM locked FOR UPDATE'),
		done => has_error('55P03'),
		ends => 1,
	},
	idle_session_timeout => {
		states => \@idle,
		after => $timeout,
		settings => ["SET idle_session_timeout = $ms"],
		fire => sub { },
		done => \&ended,
		ends => 1,
	},
	idle_in_transaction_session_timeout => {
		states => [qw(transaction failed exported)],
		after => $timeout,
		settings => ["SET idle_in_transaction_session_timeout = $ms"],
		fire => sub { },
		done => \&ended,
		ends => 1,
	},
	client_connection_check_interval => {
		states => [ grep { $_ ne 'walsender' } @with_statements ],
		after => $timeout,
		fire => sub {
			my ($target) = @_;

			$target->{wire}->query("SET client_connection_check_interval = $ms");
			$target->{wire}->ask('SELECT pg_sleep(600)');
			$target->{wire}->vanish;
			return;
		},
		done => \&process_gone,
		ends => 1,
	},
	'client gone' => {
		states => [ @all, 'copy' ],
		fire => sub { $_[0]{wire}->vanish; return },
		done => \&process_gone,
		ends => 1,
	},

	# on a standby
	'conflict over a database' => {
		standby => 1,
		in_database => 1,
		states => [qw(idle transaction failed pipeline partial result)],
		before => \&make_database,
		fire => \&drop_database,
		done => \&ended,
		ends => 1,
	},
	'conflict over a lock' => {
		standby => 1,
		states => [qw(transaction)],
		fire => sub { $_[0]{server}{primary}{sender}->ask('BEGIN', 'LOCK TABLE copied', 'COMMIT'); return },
		done => \&ended,
		ends => 1,
	},
	'conflict over rows' => {
		standby => 1,
		states => [qw(transaction)],
		before => sub {
			$_[0]{server}{primary}{sender}->query('INSERT INTO copied SELECT generate_series(1, 100)');
			catch_up($_[0]{server});
			return;
		},
		settings => ['SET default_transaction_isolation = "repeatable read"'],
		fire => sub { $_[0]{server}{primary}{sender}->ask('DELETE FROM copied', 'VACUUM copied'); return },
		done => \&ended,
		ends => 1,
	},
	'barrier in recovery' => {
		standby => 1,
		states => [qw(idle transaction failed pipeline partial result)],
		before => \&make_database,
		fire => \&drop_database,
		done => sub {
			my ($target) = @_;
			my $watcher = $target->{server}{watcher};

			return 0 if !$watcher->is_settled;
			return 1 if $target->{asked} && !$watcher->rows;
			$watcher->ask("SELECT 1 FROM pg_database WHERE datname = '$target->{database}'");
			$target->{asked} = 1;
			return 0;
		},
	},
);

1;
