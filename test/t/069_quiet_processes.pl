# Processes that run no transactions return what they needed once, by
# themselves: nobody could ask them.  Their memory beside that of a server
# without jemctx, which has done the same.  JEMCTX_QUIET_TABLES=4000 does more.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $conf = <<'CONF';
logging_collector = on
log_directory = 'log'
log_rotation_size = 0
log_statement = all
wal_level = replica
max_wal_senders = 4
archive_mode = on
archive_command = 'true'
max_locks_per_transaction = 256
checkpoint_timeout = 1h
max_wal_size = 4GB
CONF
my $tables = $ENV{JEMCTX_QUIET_TABLES} // 300;

# Children of the postmaster by what they call themselves.
sub pid_of_kind
{
	my ($node, $kind) = @_;
	my $postmaster = postmaster_pid($node);

	for my $pid (split ' ', slurp_file("/proc/$postmaster/task/$postmaster/children"))
	{
		return $pid if slurp_file("/proc/$pid/cmdline") =~ /$kind/;
	}
	die "no $kind";
}

# What we say of each process is what the kernel says, but for what is no malloc's (the stack, data of
# libraries) and what nobody has touched.  What a session has for the question it may have returned by then.
sub committed_is_true
{
	my ($node, @expected) = @_;
	my $session = session($node);
	my %kinds;

	for my $row (split /\n/, query($session,
		'SELECT pid, backend_type, committed / 1024 FROM jemctx_backends WHERE committed IS NOT NULL'))
	{
		my ($pid, $kind, $committed) = split /\|/, $row;
		my $kernel = anonymous_kb($pid);

		$kinds{$kind} = 1;
		note "$kind: committed $committed kB, anonymous $kernel kB";
		cmp_ok(abs($committed - $kernel), '<=', 2560, "$kind: committed is what the kernel sees");
	}
	is(join(', ', grep { !$kinds{$_} } @expected), '', 'that was each kind of process');
	close_session($session);
	return;
}

# Those that come by no place of ours, or seldom.
sub quiet_pids
{
	my ($primary, $standby) = @_;

	return (
		checkpointer => pid_of_kind($primary, 'checkpointer'),
		logger => pid_of_kind($primary, 'logger'),
		walwriter => pid_of_kind($primary, 'walwriter'),
		'background writer' => pid_of_kind($primary, 'background writer'),
		archiver => pid_of_kind($primary, 'archiver'),
		walsender => pid_of_kind($primary, 'walsender'),
		startup => pid_of_kind($standby, 'startup'),
		walreceiver => pid_of_kind($standby, 'walreceiver'));
}

# The same work on a primary and its standby; returns what processes have afterwards.
sub work
{
	my ($primary) = @_;
	my (%before, %after);

	$primary->append_conf('pg_hba.conf', 'local replication all trust');
	# the copy must know its wal_level
	$primary->start;
	$primary->stop;
	$primary->backup_fs_cold('copy');
	$primary->start;
	my $standby = PostgreSQL::Test::Cluster->new($primary->name . '_standby');
	$standby->init_from_backup($primary, 'copy', has_streaming => 1);
	$standby->start;
	$primary->wait_for_catchup($standby, 'replay');
	my %pids = quiet_pids($primary, $standby);

	$before{$_} = anonymous_kb($pids{$_}) for keys %pids;
	$primary->safe_psql('postgres', "DO \$\$ BEGIN FOR i IN 1..$tables LOOP
		EXECUTE format('CREATE TABLE t%s (i int PRIMARY KEY, t text)', i); END LOOP; END \$\$");
	$primary->safe_psql('postgres', "DO \$\$ BEGIN FOR i IN 1..$tables LOOP
		EXECUTE format('INSERT INTO t%s SELECT g, md5(g::text) FROM generate_series(1, 100) g', i);
		END LOOP; END \$\$");
	$primary->safe_psql('postgres', 'CHECKPOINT');
	$primary->safe_psql('postgres',
		"DO \$\$ BEGIN FOR i IN 1..$tables LOOP EXECUTE format('DROP TABLE t%s', i); END LOOP; END \$\$");
	$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
	$primary->safe_psql('postgres', 'CHECKPOINT');
	$primary->wait_for_catchup($standby, 'replay');
	$primary->psql('postgres', 'SELECT length($$' . ('x' x 30000000) . '$$)',
		timeout => $PostgreSQL::Test::Utils::timeout_default);
	poll(sub { $after{logger} = anonymous_kb($pids{logger}); -s (glob($primary->data_dir . '/log/*'))[-1] > 30000000 })
	  or die 'nothing logged';
	$after{$_} = anonymous_kb($pids{$_}) for keys %pids;
	if ($primary->name eq 'ours')
	{
		committed_is_true($primary, 'client backend', 'checkpointer', 'background writer', 'walwriter', 'archiver',
			'walsender', 'logical replication launcher', 'background worker');
		committed_is_true($standby, 'client backend', 'checkpointer', 'background writer', 'startup', 'walreceiver');
	}
	$_->stop for $standby, $primary;
	return (\%before, \%after);
}

my $ours = new_node('ours', $conf);
my $stock = PostgreSQL::Test::Cluster->new('stock');
$stock->init;
$stock->append_conf('postgresql.conf', "autovacuum = off\n$conf");
my ($stock_before, $stock_after) = work($stock);
my ($our_before, $our_after) = work($ours);

for my $kind (sort keys %{$our_after})
{
	my ($theirs, $growth) =
	  ($stock_after->{$kind} - $stock_before->{$kind}, $our_after->{$kind} - $our_before->{$kind});

	note "$kind: stock $stock_before->{$kind} to $stock_after->{$kind} kB, "
	  . "ours $our_before->{$kind} to $our_after->{$kind} kB";
	cmp_ok($growth, '<=', $theirs + 1024, "$kind: has grown no more than without jemctx");
}

done_testing();
