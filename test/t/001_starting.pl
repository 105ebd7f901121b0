
# The server executes itself again with the arguments and from the directory
# it was started with, so every way of starting it is a test of its own.
# pg_regress knows one way only, and that one is with absolute paths.

use strict;
use warnings;

use Cwd qw(getcwd realpath);
use File::Basename qw(basename dirname);
use JemctxTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $start_directory = getcwd();
my $scratch = realpath(PostgreSQL::Test::Utils::tempdir);
my $log = "$scratch/server.log";

my $node = new_jemctx_node('main');
my $datadir = realpath($node->data_dir);
my $parent = dirname($datadir);
my $name = basename($datadir);
my $bindir = $node->config_data('--bindir');

# What we start below the node has not started, and must not stop.
info_is($node, 'origin', 're-executed', 'node start');
$node->restart;
info_is($node, 'origin', 're-executed', 'node restart');
$node->stop;

delete $ENV{PGDATA};

# Run a piece of code in a directory.
sub in_directory
{
	my ($directory, $code) = @_;

	chdir $directory or die "could not enter $directory: $!";
	my $result = $code->();
	chdir $start_directory or die "could not go back: $!";
	return $result;
}

sub postmaster_pid
{
	my ($directory) = @_;

	return (split /\n/, slurp_file("$directory/postmaster.pid"))[0];
}

# Start by pg_ctl in a directory, look, restart from another directory, look,
# and stop from the first one.
sub start_restart_stop
{
	my ($test_name, %way) = @_;
	my $directory = $way{directory} // $start_directory;
	my $real = $way{real} // $datadir;
	my @options = @{ $way{options} };

	subtest $test_name => sub {
		ok(in_directory($directory, sub { run_pg_ctl('start', $log, $real, @options) }),
			'start');
		info_is($node, 'origin', 're-executed', 'origin after start');
		is($node->safe_psql('postgres', 'SHOW data_directory'), $real, 'data_directory');

		my $old_pid = postmaster_pid($real);
		my @again = $way{restart_same} ? @options : ('-D', $way{absolute} // $real);
		my $where = $way{restart_same} ? $directory : '/';
		ok(in_directory($where, sub { run_pg_ctl('restart', $log, $real, @again) }),
			"restart in $where");
		isnt(postmaster_pid($real), $old_pid, 'another postmaster');
		info_is($node, 'origin', 're-executed', 'origin after restart');

		ok(in_directory($directory, sub { run_pg_ctl('stop', $log, $real, @options) }), 'stop');
		ok(!-e "$real/postmaster.pid", 'stopped');
	};
}

# Run a program of the server as our own child.
sub run_as_child
{
	my ($test_name, $directory, @command) = @_;

	subtest $test_name => sub {
		my $child = fork;

		die "could not fork: $!" unless defined $child;
		if ($child == 0)
		{
			chdir $directory;
			open STDOUT, '>>', $log;
			open STDERR, '>&', \*STDOUT;
			{ exec { $command[0] } @command };
			require POSIX;
			POSIX::_exit(127);
		}
		ok($node->poll_query_until('postgres', 'SELECT true'), 'it accepts connections');
		is(postmaster_pid($datadir), $child, 'the process is the one we have made');
		info_is($node, 'origin', 're-executed', 'origin');
		ok(in_directory('/', sub { run_pg_ctl('restart', $log, $datadir, '-D', $datadir) }),
			'restart in /');
		is(waitpid($child, 0), $child, 'our child has ended');
		is($?, 0, 'with exit code 0');
		info_is($node, 'origin', 're-executed', 'origin after restart');
		ok(run_pg_ctl('stop', $log, $datadir, '-D', $datadir), 'stop');
	};
}

start_restart_stop('absolute -D', options => [ '-D', $datadir ]);
start_restart_stop('relative -D', directory => $parent, options => [ '-D', $name ]);
start_restart_stop('-D with dots', directory => $datadir, options => [ '-D', "../$name/." ]);
start_restart_stop('-D .', directory => $datadir, options => [ '-D', '.' ]);
{
	local $ENV{PGDATA} = $datadir;
	start_restart_stop('absolute PGDATA', options => []);
}
{
	local $ENV{PGDATA} = $name;
	start_restart_stop('relative PGDATA', directory => $parent, options => []);
}

run_as_child('postgres -D relative', $parent, 'postgres', '-D', $name);
run_as_child('postgres -Drelative', $parent, 'postgres', "-D$name");
run_as_child('relative path to the program',
	dirname($bindir), basename($bindir) . '/postgres', '-D', $datadir);
{
	local $ENV{PGDATA} = $name;
	run_as_child('postgres with relative PGDATA', $parent, 'postgres');
}

start_restart_stop(
	'pg_ctl -p with a relative path',
	directory => dirname($bindir),
	options => [ '-D', $datadir, '-p', basename($bindir) . '/postgres' ],
	restart_same => 1);

# Relative paths on the command line

mkdir "$scratch/etc" or die;
copy_file("$datadir/$_", "$scratch/etc/$_") foreach qw(postgresql.conf pg_hba.conf pg_ident.conf);

sub copy_file
{
	my ($from, $to) = @_;

	open my $file, '>', $to or die "could not write $to: $!";
	print $file slurp_file($from);
	close $file;
}

sub append_line
{
	my ($path, $line) = @_;

	open my $file, '>>', $path or die "could not write $path: $!";
	print $file "$line\n";
	close $file;
}

append_line("$scratch/etc/postgresql.conf", "work_mem = '7MB'");
start_restart_stop(
	'-c config_file=relative',
	directory => $scratch,
	options => [ '-D', $datadir, '-o', '-c config_file=etc/postgresql.conf' ]);
start_restart_stop(
	'--config-file=relative and relative -D',
	directory => $parent,
	options => [ '-D', $name, '-o', "--config-file=$name/postgresql.conf" ]);
start_restart_stop(
	'--hba-file=relative',
	directory => $scratch,
	options => [ '-D', $datadir, '-o', '--hba-file=etc/pg_hba.conf' ]);
start_restart_stop(
	'-c ident_file=relative',
	directory => $scratch,
	options => [ '-D', $datadir, '-o', '-c ident_file=etc/pg_ident.conf' ]);
{
	ok( in_directory($scratch, sub {
				run_pg_ctl('start', $log, $datadir, '-D', $datadir,
					'-o', '-c config_file=etc/postgresql.conf --hba-file=etc/pg_hba.conf');
		}),
		'start with two relative files');
	is( $node->safe_psql('postgres', "SELECT current_setting('work_mem'), "
			  . "current_setting('config_file'), current_setting('hba_file')"),
		"7MB|$scratch/etc/postgresql.conf|$scratch/etc/pg_hba.conf",
		'the files are those that were named');
	ok(run_pg_ctl('stop', $log, $datadir, '-D', $datadir), 'stop');
}

# The configuration elsewhere

append_line("$scratch/etc/postgresql.conf", "data_directory = '$datadir'");
start_restart_stop(
	'data_directory in a configuration file elsewhere',
	options => [ '-D', "$scratch/etc" ],
	absolute => "$scratch/etc");
start_restart_stop(
	'the same with relative -D',
	directory => $scratch,
	options => [ '-D', 'etc' ],
	absolute => "$scratch/etc");

# Relative paths in a configuration file hold for the directory that the
# server is started in, so it is started again from there.

append_line("$scratch/etc/postgresql.conf", "hba_file = 'etc/pg_hba.conf'");
start_restart_stop(
	'relative hba_file in postgresql.conf',
	directory => $scratch,
	options => [ '-D', "$scratch/etc" ],
	restart_same => 1);
start_restart_stop(
	'relative hba_file in postgresql.conf, and relative -D',
	directory => $scratch,
	options => [ '-D', 'etc' ],
	restart_same => 1);
append_line("$scratch/etc/postgresql.conf", "data_directory = '../$name'");
append_line("$scratch/etc/postgresql.conf", "hba_file = '$scratch/etc/pg_hba.conf'");
{
	ok( !in_directory($parent, sub {
				run_pg_ctl('start', $log, $datadir, '-D', "$scratch/etc", '-t', '20');
		}),
		'data_directory with .. is refused');
	like(
		slurp_file($log),
		qr/setting "data_directory" is a relative path.*HINT:  Make it absolute in /s,
		'and the log says so');
	ok(!-e "$datadir/postmaster.pid", 'nothing is left of it');
}

# A data directory with a space in its name

my $spaced = "$scratch/with space";
PostgreSQL::Test::RecursiveCopy::copypath($datadir, $spaced);
chmod 0700, $spaced or die;
start_restart_stop('a space in -D', options => [ '-D', $spaced ], real => $spaced);
start_restart_stop(
	'a space in a relative -D',
	directory => $scratch,
	options => [ '-D', 'with space' ],
	real => $spaced);

is(() = slurp_file($log) =~ /PANIC|was terminated by signal/g, 0, 'no process has crashed');

done_testing();
