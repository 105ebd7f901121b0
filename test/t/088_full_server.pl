# On a server without memory left all goes on that serves no client: replay on a standby and its promotion,
# autovacuum, the start after a crash. It takes two servers, which pg_regress cannot stop.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
jit = off
wal_level = replica
max_wal_senders = 5
hot_standby = on
max_prepared_transactions = 5
max_locks_per_transaction = 500
autovacuum_naptime = 1s
restart_after_crash = on
work_mem = '64MB'
jemctx.namespaces = 'n'
CONF
$node->append_conf('pg_hba.conf', "local replication all trust\n");
$node->start;
$node->safe_psql('postgres', q(
	CREATE ROLE ordinary LOGIN;
	CREATE TABLE kept AS SELECT g AS i, md5(g::text) AS m FROM generate_series(1, 50000) g;
	GRANT SELECT ON kept TO ordinary;
	CREATE FUNCTION make(n int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..n LOOP
			EXECUTE format('CREATE TABLE many_%s (i int PRIMARY KEY)', i);
		END LOOP;
	END $$;
	CREATE FUNCTION unmake(n int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..n LOOP
			EXECUTE format('DROP TABLE many_%s', i);
		END LOOP;
	END $$;
));
$node->stop;
$node->backup_fs_cold('copy');
$node->start;
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;

# Less than it has without any session; an ordinary one is refused then.
sub fill_server
{
	my ($server) = @_;

	$server->append_conf('postgresql.conf', "jemctx.server_memory_limit = '3MB'\n");
	$server->reload;
	ok(poll(sub { session_output($server, 'SHOW jemctx.server_memory_limit') eq "3MB\n" }), $server->name . ' is full');
	is_full($server);
	return;
}

sub is_full
{
	my ($server) = @_;
	my $ordinary = session($server, connstr => $server->connstr('postgres') . ' user=ordinary');

	like(query($ordinary, 'SELECT count(*) FROM (SELECT m FROM kept ORDER BY m) s'),
		qr/ERROR:  out of memory\n(?:LINE .*\n.*\n)?DETAIL:  The server holds/, $server->name . ' has no memory left');
	close_session($ordinary);
	return;
}

sub empty_server
{
	my ($server) = @_;

	$server->append_conf('postgresql.conf', "jemctx.server_memory_limit = 0\n");
	$server->reload;
	ok( poll(sub { session_output($server, 'SELECT count(*) FROM (SELECT m FROM kept ORDER BY m) s') =~ /^50000$/ }),
		$server->name . ' has memory again');
	return;
}

# A process is killed; the server comes back, with its namespaces.
sub starts_after_crash
{
	my ($server) = @_;
	my $offset = -s $server->logfile;
	my $victim = session($server);

	kill 'KILL', pid_of($victim);
	wait_for_recovery($server, $offset);
	close_session($victim);
	is_full($server);
	is(session_output($server, 'SELECT name FROM jemctx_namespaces'), "n\n", $server->name . ' starts after a crash');
	return;
}

# A standby: transactions with many locks and files, also such as were prepared.
fill_server($standby);
$node->safe_psql('postgres', "BEGIN; SELECT make(400); PREPARE TRANSACTION 'p'");
$node->safe_psql('postgres', "COMMIT PREPARED 'p'");
$node->safe_psql('postgres', 'SELECT unmake(400)');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
pass('a full standby replays');
starts_after_crash($standby);
$node->safe_psql('postgres', 'CREATE TABLE later (i int)');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
pass('and replays on');
$standby->promote;
is_full($standby);
empty_server($standby);
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery(), count(*) FROM later'), 'f|0',
	'a full standby is promoted');
$standby->stop;

# A primary.
fill_server($node);
$node->append_conf('postgresql.conf', 'autovacuum = on');
$node->reload;
session_output($node, 'UPDATE kept SET m = m');
ok( poll(
		sub {
			session_output($node, "SELECT autovacuum_count > 0 AND autoanalyze_count > 0 FROM pg_stat_user_tables
				WHERE relname = 'kept'") eq "t\n";
		}),
	'autovacuum works');
starts_after_crash($node);
$node->restart;
is_full($node);
empty_server($node);
unlike(slurp_file($_->logfile), qr/PANIC/, 'without a PANIC: ' . $_->name) for $node, $standby;
$node->stop;

# A standalone backend is a superuser's, who repairs something.
my ($in, $out) = ("SELECT count(*) FROM (SELECT m FROM kept ORDER BY m) s;\nVACUUM FULL kept;\n", '');
ok( IPC::Run::run(
		[   'postgres', '--single', '-D', $node->data_dir, '-c', 'jemctx.backend_memory_limit=8MB',
			'-c', 'jemctx.server_memory_limit=3MB', 'postgres' ],
		'<', \$in, '>', \$out, '2>&1'),
	'a standalone backend');
like($out, qr/count = "50000"/, 'has no limit');
unlike($out, qr/ERROR|FATAL|PANIC/, 'and fails in nothing') or diag $out;

done_testing();
