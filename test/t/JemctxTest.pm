
=pod

=head1 NAME

JemctxTest - servers with jemctx for the TAP tests

=cut

package JemctxTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  append_library
  info_is
  info_of
  new_jemctx_node
  new_server
  pid_of
  process_has_jemalloc
  process_arenas_reconcile
  run_pg_ctl
  start_must_fail
);

# Servers that were started without their Cluster object knowing it.
my @foreign_datadirs;

# A cluster on a Unix socket that preloads jemctx, not started.
sub new_server
{
	my ($name, %params) = @_;
	my $conf = delete $params{conf};
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%params);
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'jemctx'");
	$node->append_conf('postgresql.conf', $conf) if defined $conf;
	return $node;
}

# The same, started, with the extension in database postgres.
sub new_jemctx_node
{
	my $node = new_server(@_);

	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION jemctx');
	return $node;
}

# One value of jemctx_info.
sub info_of
{
	my ($node, $name) = @_;

	return $node->safe_psql('postgres',
		"SELECT value FROM jemctx_get_info() WHERE name = '$name'");
}

sub info_is
{
	my ($node, $name, $expected, $test_name) = @_;

	return is(info_of($node, $name), $expected, $test_name);
}

# pg_ctl, waiting, for a data directory that the node did not start itself.
# The server is stopped at the end of the test, whatever happens.
sub run_pg_ctl
{
	my ($action, $log, $datadir, @options) = @_;
	my @log = $action eq 'stop' ? () : ('-l', $log);

	push @foreign_datadirs, $datadir if -d $datadir;
	return run_log([ 'pg_ctl', '-w', @log, @options, $action ]);
}

# Start a server that cannot come up.  Returns what it wrote to its log.
sub start_must_fail
{
	my ($node, $test_name) = @_;
	my $offset = -e $node->logfile ? -s $node->logfile : 0;

	ok(!$node->start(fail_ok => 1), "$test_name: the server does not start");
	return slurp_file($node->logfile, $offset);
}

# The pid of a process by its backend_type in pg_stat_activity, once it is there.
sub pid_of
{
	my ($node, $backend_type) = @_;
	my $pids = "SELECT pid FROM pg_stat_activity WHERE backend_type = '$backend_type'";

	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM ($pids) AS p")
	  or die "no process \"$backend_type\"";
	return $node->safe_psql('postgres', "$pids LIMIT 1");
}

# Is the library mapped in the process?
sub process_has_jemalloc
{
	my ($pid) = @_;

	return slurp_file("/proc/$pid/maps") =~ m{/libjemalloc\.so};
}

# What our hooks have counted must be what jemalloc says.
sub process_arenas_reconcile
{
	my ($node, $test_name) = @_;

	return is( $node->safe_psql(
			'postgres', q{
SELECT name, committed - active - dirty FROM jemctx_get_arenas()
WHERE name <> 'automatic' ORDER BY name}),
		"persistent|0\nprocess|0",
		$test_name);
}

END
{
	my $exit_code = $?;

	foreach my $datadir (@foreign_datadirs)
	{
		system_log('pg_ctl', '-D', $datadir, '-m', 'immediate', '-w', 'stop')
		  if -e "$datadir/postmaster.pid";
	}
	$? = $exit_code;
}

1;
