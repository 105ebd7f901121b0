# The same server twice, with jemctx and without, each with a standby if that is wanted; and sessions
# on them that send the interrupts and look at what becomes of them.
package Servers;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time sleep);
use Wire;

our @EXPORT_OK = qw(start_pair start_standbys stop_all);

# Idle sessions purge and shed their caches soon, in the middle of everything.
my $busy_at_idle = <<'CONF';
shared_preload_libraries = 'jemctx'
jemctx.idle_purge_after = 100
jemctx.idle_cache_limit = '256kB'
jemctx.idle_cache_after = 100
CONF

sub start_server
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, own_host => 0);

	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', "$conf\njit = off\nautovacuum = off\nmax_connections = 40\n");
	add_tls($node);
	$node->start;
	$node->safe_psql('postgres',
		'CREATE TABLE locked (i int); CREATE TABLE copied (i int);' . ($conf ? 'CREATE EXTENSION jemctx' : ''));
	my $server = watched($name, $node);
	$server->{has_jemctx} = $conf ne '';
	return $server;
}

# Have it listen for encrypted connections, if there is openssl.
sub add_tls
{
	my ($node) = @_;
	my $data = $node->data_dir;

	run_log([ 'openssl', 'req', '-new', '-x509', '-days', '2', '-nodes', '-subj', '/CN=localhost',
			'-keyout', "$data/server.key", '-out', "$data/server.crt" ]) or return;
	chmod 0600, "$data/server.key" or die $!;
	$node->append_conf('postgresql.conf', "ssl = on\nlisten_addresses = '127.0.0.1'\n");
	append_to_file("$data/pg_hba.conf", "hostssl all all 127.0.0.1/32 trust\n");
	return;
}

# A server that runs: the session that sends interrupts, one that looks, and one that holds a lock.
sub watched
{
	my ($name, $node) = @_;
	my $server = { name => $name, node => $node, tls_port => $node->port };

	$server->{$_} = Wire->new($server) for qw(sender watcher locker);
	$server->{primary} = $server;
	$server->{next_database} = 0;
	return $server;
}

sub hold_lock
{
	my ($server) = @_;

	# without a transaction's id, for which the creation of a replication slot would wait
	$server->{locker}->query('BEGIN', 'LOCK TABLE locked IN EXCLUSIVE MODE');
	return $server;
}

sub start_pair
{
	return (hold_lock(start_server('jemctx', $busy_at_idle)), hold_lock(start_server('stock', '')));
}

# A standby of each, where recovery waits for nobody.
sub start_standbys
{
	return map {
		my $primary = $_;
		my $node = PostgreSQL::Test::Cluster->new("$primary->{name}_standby", own_host => 0);

		$primary->{node}->backup('backup');
		$node->init_from_backup($primary->{node}, 'backup', has_streaming => 1);
		$node->append_conf('postgresql.conf', "max_standby_streaming_delay = 0\nssl = off\nlisten_addresses = ''\n");
		$node->start;
		my $standby = watched("$primary->{name}, standby", $node);
		@$standby{qw(primary has_jemctx)} = ($primary, $primary->{has_jemctx});
		$standby;
	} @_;
}

sub stop_all
{
	for my $server (reverse @_)
	{
		$server->{$_}->vanish for qw(sender watcher locker);
		$server->{node}->stop;
	}
	return;
}

1;
