# Background workers that carry out SQL, as those do that schedule work: they are never refused memory at a
# limit, and the workers of their parallel queries are not, either; what a namespace refuses them is an error that
# they can catch, or that ends them.  pg_regress has no such workers.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
jit = off
work_mem = '64MB'
max_worker_processes = 16
restart_after_crash = on
jemctx.idle_purge_after = -1
jemctx.namespaces = 'n:2MB'
CONF
$node->start;
my $observer = session($node);
my $start_time = query($observer, 'SELECT pg_postmaster_start_time()');

# What they carry out: a sort of some 30 MB, the same in parallel workers only, and what fills a namespace.
my $sort = 'SELECT count(*) FROM (SELECT m FROM kept ORDER BY m OFFSET 0) s';
$node->safe_psql('postgres', qq(
	CREATE EXTENSION jemctx_test;
	CREATE ROLE ordinary LOGIN;
	CREATE TABLE outcomes (outcome text);
	CREATE TABLE work (i serial);
	CREATE TABLE kept AS SELECT md5(g::text) AS m FROM generate_series(1, 300000) g;
	ALTER TABLE kept SET (parallel_workers = 2);
	ANALYZE kept;
	CREATE FUNCTION sort_it() RETURNS bigint LANGUAGE plpgsql SET max_parallel_workers_per_gather = 0 AS
		\$\$ BEGIN INSERT INTO work DEFAULT VALUES; RETURN ($sort); END \$\$;
	CREATE FUNCTION parallel_sort() RETURNS bigint LANGUAGE plpgsql SET max_parallel_workers_per_gather = 2
		SET parallel_setup_cost = 0 SET parallel_tuple_cost = 0 SET min_parallel_table_scan_size = 0
		SET parallel_leader_participation = off AS
		\$\$ DECLARE n bigint; BEGIN EXECUTE '$sort' INTO n; RETURN n; END \$\$;
	CREATE FUNCTION fill_it() RETURNS bigint LANGUAGE plpgsql AS
		\$\$ BEGIN INSERT INTO work DEFAULT VALUES; LOCK TABLE kept IN SHARE ROW EXCLUSIVE MODE;
		RETURN 1 FROM jemctx_test_ns_no_memory('n', 5000000); END \$\$;
	GRANT ALL ON ALL TABLES IN SCHEMA public TO ordinary;
	GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ordinary;
));

sub ordinary_session
{
	my $session = session($node, connstr => $node->connstr('postgres') . ' user=ordinary');

	query($session, '\set VERBOSITY verbose');
	return $session;
}

# A worker of an ordinary role's; its process.
sub start_worker
{
	my ($statement, $rounds, $means) = @_;
	my $starter = ordinary_session();
	my $pid = query($starter, "SELECT jemctx_test_sql_worker('$statement', $rounds, '$means')");

	close_session($starter);
	return $pid;
}

# What has become of so many times, and how many of them are not undone.
sub outcomes
{
	my ($worker, $rounds) = @_;

	poll(sub { !kill(0, $worker) || query($observer, 'SELECT count(*) FROM outcomes') >= $rounds });
	my $text = query($observer, "SELECT string_agg(DISTINCT outcome, ',') || ' x ' || count(*) || ', '
		|| (SELECT count(*) FROM work) FROM outcomes");
	query($observer, 'TRUNCATE outcomes, work');
	return $text;
}

sub end_worker
{
	my ($pid, $what) = @_;

	kill 'TERM', $pid;
	ok(poll(sub { query($observer, "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid") eq '0' }),
		"$what: the worker ends");
	is(query($observer, "SELECT count(*) FROM pg_locks WHERE pid IS DISTINCT FROM pg_backend_pid()"),
		'0', "$what: no lock is left");
	return;
}

sub set_limit
{
	my ($name, $value) = @_;

	query($observer, "ALTER SYSTEM SET jemctx.$name = '$value'");
	query($observer, 'SELECT pg_reload_conf()');
	ok(poll(sub { query($observer, "SHOW jemctx.$name") eq $value }), "$name is $value");
	return;
}

# A limit that is met, each in turn.  An ordinary session is refused what the worker is not.
for my $limit ([ 'backend_memory_limit', '12MB' ], [ 'server_memory_limit', '20MB' ])
{
	my ($name, $value) = @$limit;

	set_limit($name, $value);
	for my $means (qw(n t s))
	{
		for my $statement ('sort_it', 'parallel_sort')
		{
			my $what = "$name, $statement, $means";
			my $worker = start_worker("SELECT $statement()", 5, $means);

			is(outcomes($worker, 5), 'done x 5, ' . ($statement eq 'sort_it' ? 5 : 0), "$what: never refused");
			is(query($observer, "SELECT refused FROM jemctx_backends WHERE pid = $worker"),
				'0', "$what: nothing at all");
			ok(poll(sub { query($observer, "SELECT committed < 12000000 FROM jemctx_backends WHERE pid = $worker")
				  ne 'f' }), "$what: and it has returned what it needed");
			end_worker($worker, $what);
		}
	}
	my $session = ordinary_session();
	like(query($session, "SELECT $_()"), qr/ERROR:  53200: out of memory/, "$name: a session is refused $_")
	  for 'sort_it', 'parallel_sort';
	close_session($session);
	set_limit($name, '0');
}

# What a namespace refuses a worker is an error like any other: caught, or the worker's end.
for my $means (qw(t s))
{
	my $worker = start_worker('SELECT fill_it()', 20, $means);

	is(outcomes($worker, 20), '53200 x 20, 0', "namespace, $means: each error is caught, and undone");
	is(query($observer, 'SELECT count(*) FROM pg_locks WHERE pid IS DISTINCT FROM pg_backend_pid()'),
		'0', "namespace, $means: no lock is left while the worker lives");
	end_worker($worker, "namespace, $means");
}
my $offset = -s $node->logfile;
my $worker = start_worker('SELECT fill_it()', 20, 'n');
ok($node->wait_for_log(qr/background worker "jemctx_test sql" \(PID $worker\) exited with exit code 1/, $offset),
	'namespace, n: the error ends the worker, and nobody else');
end_worker($worker, 'namespace, n');
is(query($observer, 'SELECT (SELECT count(*) FROM outcomes), (SELECT count(*) FROM work)'), '0|0', 'and is undone');

is(query($observer, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
nobody_died($node);
$node->stop;

done_testing();
