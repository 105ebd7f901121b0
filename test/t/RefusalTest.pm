# What the tests share that refuse allocations of a statement, one after the other, and look for what
# is left behind. They need a checking build.
package RefusalTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

our @EXPORT = qw(refusal_node refuse_each nothing_is_left whole_on_disk stride);

# Every so many-th allocation is refused. 1 is what "make refusals" does.
sub stride
{
	return $ENV{REFUSALS_STRIDE} // 23;
}

sub refusal_node
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => ['--data-checksums'], allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'jemctx'
jemctx.namespaces = 'n'
jemctx.namespace_memory = '64MB'
autovacuum = off
max_prepared_transactions = 20
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
jit = off
restart_after_crash = on
log_min_duration_statement = -1
log_statement = none
CONF
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION jemctx; CREATE EXTENSION jemctx_test; CREATE EXTENSION amcheck');
	return $node;
}

# A refusal, as it is told.
my $refusal = qr/^(?:ERROR|WARNING):  53200: /m;

# Carry out statement after statement; none may fail.
sub must
{
	my ($session, @statements) = @_;

	for my $statement (@statements)
	{
		my $answer = query($session, $statement);

		die "$statement: $answer" if $answer =~ /^(ERROR|FATAL)/m;
	}
	return;
}

# Refuse the n-th allocation of a case's statement, or with a negative number all from that on, in a
# session of its own kind. Returns how many were refused, and what was wrong.
sub refuse_one
{
	my ($node, $case, $session, $n) = @_;

	must($session, @{ $case->{before} // [] });
	query($session, 'SELECT jemctx_test_brim()') if !$case->{fresh};
	query($session, "SET jemctx.debug_refuse = $n");
	my $answer = query($session, $case->{statement});
	query($session, 'ROLLBACK') for 1 .. 2;
	my ($refused) = query($session, "SET jemctx.debug_refuse = 0; SHOW jemctx.debug_refused") =~ /^(\d+)$/m;
	return (0, "no session: $answer") if !defined $refused;

	my $failed = $answer =~ /^(ERROR|FATAL)/m ? 1 : 0;
	my $wrong = '';
	$wrong = "another error: $answer" if $failed && $answer !~ $refusal && $answer !~ ($case->{fails} // qr/^$refusal/);
	my $done = query($session, $case->{done} // "SELECT 'yes'");
	if ($case->{done} && $done ne ($failed ? 'no' : 'yes'))
	{
		$wrong = "it says $answer; done: $done" if !$case->{may_stay} || !$failed;
		$failed = 0;
	}
	eval { must($session, @{ $case->{after}{ $failed ? 'failed' : 'done' } // $case->{after}{always} // [] }); 1 }
	  or $wrong .= " afterwards: $@";
	return ($refused, $wrong);
}

sub verbose_session
{
	my ($node) = @_;
	my $session = session($node);

	query($session, '\set VERBOSITY verbose');
	return $session;
}

# Refuse each allocation of a case's statement in turn, until it needs none that could be.
sub refuse_each
{
	my ($node, $case) = @_;
	my $session = verbose_session($node);
	my ($counted, $wrong, $last) = (0, '', 0);
	my $stride = $case->{stride} // stride();
	my $first = 1 + int(rand($stride));

	for my $sign (1, -1)
	{
		for (my $n = $first; ; $n += $stride)
		{
			close_session($session) if $case->{fresh};
			$session = verbose_session($node) if $case->{fresh};
			my ($refused, $found) = refuse_one($node, $case, $session, $sign * $n);

			$counted += $refused;
			$wrong .= "at " . $sign * $n . ": $found\n" if $found ne '';
			$last = $n;
			last if $refused == 0 || $found =~ /no session|afterwards/;
		}
	}
	is($wrong, '', "$case->{name}: $last allocations, $counted refused: done or not done");
	close_session($session);
	nothing_is_left($node, $case->{name});
	return;
}

# No lock, file, or part of an object that belongs to nobody.
sub nothing_is_left
{
	my ($node, $what, $other) = @_;
	my $pid = $other ? pid_of($other) : 0;
	my $left;

	poll(sub { $node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid NOT IN (pg_backend_pid(), $pid)") eq '0' });
	$left = $node->safe_psql('postgres', q(
		CHECKPOINT;
		SELECT 'lock: ' || locktype || ' ' || mode || ' of ' || coalesce(pid::text, virtualtransaction) FROM pg_locks
			WHERE pid IS DISTINCT FROM pg_backend_pid()
		UNION ALL SELECT 'prepared: ' || gid FROM pg_prepared_xacts
		UNION ALL SELECT 'two-phase file: ' || f FROM pg_ls_dir('pg_twophase') f
		UNION ALL SELECT 'file: ' || f FROM pg_database, pg_ls_dir('base/' || oid) f
			WHERE datname = current_database() AND f ~ '^[0-9]' AND regexp_replace(f, '\D.*', '')::oid NOT IN
				(SELECT pg_relation_filenode(oid) FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL)
		UNION ALL SELECT 'file of a temporary table: ' || f FROM pg_database, pg_ls_dir('base/' || oid) f
			WHERE datname = current_database() AND f ~ '^t'
		UNION ALL SELECT 'directory: ' || f FROM pg_ls_dir('base') f WHERE f ~ '^\d+$'
			AND f::oid NOT IN (SELECT oid FROM pg_database)
		UNION ALL SELECT 'directory of a tablespace: ' || f FROM pg_ls_dir('pg_tblspc') f
			WHERE f::oid NOT IN (SELECT oid FROM pg_tablespace)
		UNION ALL SELECT 'database: ' || datname FROM pg_database WHERE datconnlimit = -2
		UNION ALL SELECT 'slot: ' || slot_name FROM pg_replication_slots WHERE active OR temporary
		UNION ALL SELECT 'directory of a slot: ' || f FROM pg_ls_dir('pg_replslot') f
			WHERE f NOT IN (SELECT slot_name FROM pg_replication_slots)
		UNION ALL SELECT 'toast table: ' || relname FROM pg_class t WHERE relkind = 't'
			AND NOT EXISTS (SELECT 1 FROM pg_class WHERE reltoastrelid = t.oid)
	));
	is($left, '', "$what: nothing is left");
	return;
}

# Indexes and pages are as they should be. Stops the server.
sub whole_on_disk
{
	my ($node) = @_;

	is($node->safe_psql('postgres', q(
		SELECT count(bt_index_check(c.oid, true)) > 0 FROM pg_class c, pg_am a, pg_index i
		WHERE c.relam = a.oid AND amname = 'btree' AND relkind = 'i' AND indexrelid = c.oid AND indisvalid
			AND relpersistence = 'p')),
		't', 'indexes are whole');
	unlike(
		slurp_file($node->logfile),
		qr/PANIC|terminated by signal|terminating any other|orphan/,
		'no process has died');
	$node->stop;
	command_ok([ 'pg_checksums', '--check', '-D', $node->data_dir ], 'pages are whole');
	return;
}

1;
