# Every way to start a server ends in one that runs on jemalloc, under the
# process id it was started with.  pg_regress has one way only.
use strict;
use warnings;

use File::Basename;
use File::Copy;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main');
my $data = $node->data_dir;
my $parent = dirname($data);
my $bindir = $node->config_data('--bindir');
my $log = $node->logfile;

# The server started that way runs on jemalloc, and can be restarted from
# anywhere by its data directory alone.
sub check_running
{
	my ($what) = @_;

	is(info($node, 'origin'), 're-executed', "$what: runs on jemalloc");
	is($node->safe_psql('postgres', 'SHOW data_directory'), $data, "$what: data directory");
	in_directory('/', sub { system_or_bail('pg_ctl', '-s', '-w', '-D', $data, '-l', $log, 'restart') });
	is(info($node, 'origin'), 're-executed', "$what: and after a restart from elsewhere");
	system_or_bail('pg_ctl', '-s', '-w', '-D', $data, 'stop');
	return;
}

sub check_pg_ctl
{
	my ($what, $directory, @arguments) = @_;

	in_directory($directory, sub { system_or_bail('pg_ctl', '-s', '-w', '-l', $log, @arguments, 'start') });
	check_running($what);
	return;
}

check_pg_ctl('absolute -D', '/', '-D', $data);
check_pg_ctl('relative -D', $parent, '-D', basename($data));
{
	local $ENV{PGDATA} = basename($data);
	check_pg_ctl('relative PGDATA', $parent);
}

# The server itself, as a service manager runs it.
sub run_child
{
	my ($directory, @command) = @_;
	my $child = fork;

	die "cannot fork: $!" unless defined $child;
	if ($child == 0)
	{
		chdir $directory or die;
		open(STDOUT, '>>', $log);
		open(STDERR, '>&', \*STDOUT);
		exec(@command) or die "cannot execute @command: $!";
	}
	return $child;
}

# Our child stays the postmaster.
sub check_child
{
	my ($what, $directory, @command) = @_;
	my $child = run_child($directory, @command);

	wait_until_accepts($node);
	is(postmaster_pid($node), $child, "$what: same process id");
	check_running($what);
	waitpid($child, 0);
	return;
}

check_child('postgres -D relative', $parent, "$bindir/postgres", '-D', basename($data));
check_child('postgres -Drelative', $parent, "$bindir/postgres", '-D' . basename($data));
check_child('relative path to the binary', dirname($bindir), 'bin/postgres', '-D', $data);
check_child('path without slash', '/', 'postgres', '-D', $data);

# Configuration files elsewhere, named relative to where the server is started.
my $etc = "$parent/etc dir";
mkdir $etc or die;
copy("$data/$_", "$etc/$_") or die for qw(postgresql.conf pg_hba.conf pg_ident.conf);
append_to_file("$etc/postgresql.conf", "data_directory = '$data'\n");
append_to_file("$etc/pg_hosts.conf", "# 19 wants to know where it is\n");
my @hosts = server_major() < 19 ? () : ('-c', 'hosts_file=etc dir/pg_hosts.conf');
check_child(
	'relative config_file', $parent,
	"$bindir/postgres", '-c', 'config_file=etc dir/postgresql.conf',
	'--hba-file=etc dir/pg_hba.conf', '-c', 'ident-file=etc dir/pg_ident.conf', @hosts);
check_child('relative configuration directory', $parent, "$bindir/postgres", '-D', 'etc dir');

if (@hosts)
{
	my $child = run_child($parent, "$bindir/postgres", '-D', $data, @hosts);
	wait_until_accepts($node);
	is($node->safe_psql('postgres', 'SHOW hosts_file'), "$parent/etc dir/pg_hosts.conf", 'relative hosts_file: found');
	kill 'INT', $child;
	waitpid($child, 0);
}

# Relative paths inside the configuration file.
append_to_file("$etc/postgresql.conf",
	"data_directory = '" . basename($data) . "'\nhba_file = './etc dir/pg_hba.conf'\n");
$node->start;
$node->stop;
{
	my $child = run_child($parent, "$bindir/postgres", '-D', 'etc dir');
	wait_until_accepts($node);
	is(info($node, 'origin'), 're-executed', 'relative paths in the file: runs on jemalloc');
	is( $node->safe_psql('postgres', 'SHOW hba_file'),
		"$parent/etc dir/pg_hba.conf",
		'relative paths in the file: found');
	kill 'INT', $child;
	waitpid($child, 0);
}

# A relative path that something else overrides does not matter.
append_to_file("$data/postgresql.conf", "hba_file = 'old/../nowhere.conf'\nhba_file = '$data/pg_hba.conf'\n");
check_pg_ctl('relative path overridden in the file', '/', '-D', $data);
append_to_file("$data/postgresql.conf", "ident_file = '../nowhere/pg_ident.conf'\n");
$node->append_conf('postgresql.conf', "ident_file = '$data/pg_ident.conf'\n");

# Arguments are neither lost nor added.
in_directory(
	'/',
	sub {
		system_or_bail('pg_ctl', '-s', '-w', '-D', $data, '-l', $log, '-o', "-c work_mem=5MB -c 'cluster_name=a b'",
			'start');
	});
is($node->safe_psql('postgres', 'SHOW work_mem'), '5MB', 'options are kept');
is($node->safe_psql('postgres', 'SHOW cluster_name'), 'a b', 'options with spaces are kept');
is(slurp_file("$data/postmaster.opts"),
	qq($bindir/postgres "-D" "$data" "-c" "work_mem=5MB" "-c" "cluster_name=a b"\n),
	'postmaster.opts has the arguments');
system_or_bail('pg_ctl', '-s', '-w', '-D', $data, 'stop');

done_testing();
