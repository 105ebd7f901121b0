# Debian starts clusters by pg_ctlcluster, with configuration files apart
# from the data.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

plan skip_all => 'needs pg_ctlcluster of package postgresql-common' unless -x '/usr/bin/pg_ctlcluster';

my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();
my @psql = ('psql', '-XAt', '-h', $directory, '-p', $port, '-d', 'postgres', '-c');

delete @ENV{qw(PGHOST PGPORT PGDATA PGDATABASE)};
$ENV{PG_CLUSTER_CONF_ROOT} = "$directory/etc";
mkdir "$directory/etc" or die;

sub run_ok
{
	my ($what, @command) = @_;
	my ($out, $err) = ('', '');

	ok(IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err), $what) or diag "$out$err";
	return $out;
}

run_ok('create', 'pg_createcluster', server_major(), 'test',
	'-d', "$directory/data", '-s', $directory, '-l', "$directory/log",
	'-p', $port, '-o', "shared_preload_libraries=jemctx", '-o', "listen_addresses=",
	'--', '-A', 'trust');
run_ok('start', 'pg_ctlcluster', server_major(), 'test', 'start');
run_ok('extension', @psql, 'CREATE EXTENSION jemctx');
my $origin = "SELECT value FROM jemctx_info WHERE name = 'origin'";
is(run_ok('query', @psql, $origin), "re-executed\n", 'runs on jemalloc');
run_ok('restart', 'pg_ctlcluster', server_major(), 'test', 'restart');
is(run_ok('query', @psql, $origin), "re-executed\n", 'runs on jemalloc after a restart');
run_ok('stop', 'pg_ctlcluster', server_major(), 'test', 'stop');

done_testing();
