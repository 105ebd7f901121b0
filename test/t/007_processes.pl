# Processes of every kind run in the arenas, also those that have no SQL
# interface, so the kernel and the server's log are asked.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
wal_level = replica
max_wal_senders = 5
archive_mode = on
archive_command = 'true'
autovacuum = on
autovacuum_naptime = 1s
logging_collector = off
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
CONF
$node->append_conf('postgresql.conf', parallel_setting() . " = on\n");
$node->append_conf('pg_hba.conf', "local replication all trust\n");
$node->start;

# Each process of the server has the library, and the hooks of the postmaster.
$node->poll_query_until('postgres', "SELECT count(*) >= 6 FROM pg_stat_activity
	WHERE backend_type IN ('autovacuum launcher', 'archiver', 'logical replication launcher', 'background writer',
		'checkpointer', 'walwriter')")
  or die 'not all processes are there';
for my $kind (
	'autovacuum launcher', 'archiver', 'logical replication launcher', 'background writer',
	'checkpointer',        'walwriter')
{
	my $pid = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = '$kind'");

	like(slurp_file("/proc/$pid/maps"), qr/libjemalloc/, "$kind: has jemalloc");
	unlike(slurp_file("/proc/$pid/environ"), qr/^$/, "$kind: is alive");
}

# Those that have a PGPROC of an ordinary backend tell of their contexts.
for my $kind ('autovacuum launcher', 'logical replication launcher')
{
	my $pid = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = '$kind'");
	my $offset = -s $node->logfile;

	is($node->safe_psql('postgres', "SELECT pg_log_backend_memory_contexts($pid)"),
		't', "$kind: asked for its contexts");
	$node->wait_for_log(qr/\[$pid\].*LOG:  level: [12]; CacheMemoryContext: \d+ total in \d+ chunks; 0 free/, $offset);
	pass("$kind: its caches are in a persistent context");
}

# A walsender that speaks SQL.
my ($code, $out) = $node->psql('postgres', 'SELECT name FROM jemctx_arenas ORDER BY arena',
	connstr => $node->connstr('postgres') . ' replication=database');
is($out, "process\npersistent", 'walsender: its arenas');

# Parallel workers.
$node->safe_psql('postgres', 'CREATE TABLE t AS SELECT g AS i, md5(g::text) AS v FROM generate_series(1, 50000) g');
is( $node->safe_psql('postgres', q(
	SET max_parallel_workers_per_gather = 2;
	SELECT count(DISTINCT v) FROM (SELECT v FROM t ORDER BY v LIMIT 40000) s)),
	'40000', 'parallel workers sort');
like($node->safe_psql('postgres', 'SET max_parallel_workers_per_gather = 2; EXPLAIN (ANALYZE, COSTS OFF)
	SELECT v FROM t ORDER BY v'),
	qr/Workers Launched: [12]/, 'and they did run');

# Autovacuum workers.
$node->safe_psql('postgres', 'INSERT INTO t SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 50000) g');
$node->poll_query_until('postgres', "SELECT autoanalyze_count > 0 FROM pg_stat_user_tables WHERE relname = 't'")
  or die 'autovacuum did not come';
pass('autovacuum workers analyze');

# A client backend's figures in the log are those of the view.
my $offset = -s $node->logfile;
my ($chunks, $pid) = split /\|/, $node->safe_psql('postgres', q(
	SET max_parallel_workers_per_gather = 0;
	SELECT chunks, pg_backend_pid(), pg_log_backend_memory_contexts(pg_backend_pid()) FROM jemctx_contexts));
$node->wait_for_log(qr/\[$pid\].*LOG:  level: [12]; CacheMemoryContext: \d+ total in \d+ chunks/, $offset);
my ($logged) = slurp_file($node->logfile, $offset) =~ /CacheMemoryContext: \d+ total in (\d+) chunks/;
cmp_ok(abs($logged - $chunks), '<', 500, 'client backend: as many chunks in the log as in the view');

committed_is_exact($node, 'client backend');
$node->stop;

done_testing();
