# Limits, reached in every phase of a statement: only that statement ends, and
# its session and all others go on.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
jit = off
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
max_worker_processes = 16
work_mem = '1GB'
maintenance_work_mem = '1GB'
max_locks_per_transaction = 1000
CONF
$node->start;
$node->safe_psql('postgres', q(
	CREATE EXTENSION xml2;
	CREATE EXTENSION pgcrypto;
	CREATE TABLE big AS SELECT g AS i, md5(g::text) AS m FROM generate_series(1, 400000) g;
	CREATE TABLE empty (i int, m text);
	CREATE TABLE parent (i int PRIMARY KEY); INSERT INTO parent SELECT generate_series(1, 400000);
	CREATE TABLE child (i int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
	CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
	DO $$ BEGIN FOR i IN 0..799 LOOP
		EXECUTE
		  format('CREATE TABLE parted_%s PARTITION OF parted FOR VALUES FROM (%s) TO (%s)', i, i * 10, (i + 1) * 10);
	END LOOP; END $$;
	CREATE FUNCTION catching() RETURNS text LANGUAGE plpgsql AS $$
	DECLARE detail text; hint text;
	BEGIN
		PERFORM count(*) FROM (SELECT i, m FROM big ORDER BY m) s;
		RETURN 'not refused';
	EXCEPTION WHEN out_of_memory THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		RETURN sqlstate || ' / ' || detail || ' / ' || hint;
	END $$;
	ANALYZE;
));
my $observer = session($node);
my $start_time = query($observer, 'SELECT pg_postmaster_start_time()');

my $out_of_memory = qr/ERROR:  53200: out of memory/;
my $holds = qr/This process holds \d+ kB, asked for \d+ kB more, and may have/;
my $raise = qr/Raise "jemctx\.backend_memory_limit"/;
my $refusal = qr/$out_of_memory\n(?:LINE .*\n.*\n)?DETAIL:  $holds \d+ kB\.\nHINT:  $raise/;
my $session;

# The statement is refused, with the reason; the session works, and is small again.
sub refused
{
	my ($what, $limit, @statements) = @_;
	my $message = ref $statements[-1] ? pop @statements : undef;

	$session //= session($node);
	query($session, '\set VERBOSITY verbose');
	query($session, "SET jemctx.backend_memory_limit = '$limit'");
	my $last = pop @statements;
	query($session, $_) for @statements;
	my $refused = backend($observer, $session, 'refused');
	my $text = query($session, $last);
	like($text, $message // $refusal, "$what: refused");
	cmp_ok(backend($observer, $session, 'refused'), '>', $refused, "$what: counted");
	my ($mb) = $limit =~ /(\d+)/;
	$mb += 64 if $message;		# a library's headroom
	cmp_ok(backend($observer, $session, 'committed_peak'), '<=', ($mb + 1) * 1048576, "$what: the limit was kept");
	query($session, 'ROLLBACK');
	is(query($session, 'SELECT count(*) FROM empty'), '0', "$what: the session goes on, nothing was stored");
	query($session, 'RESET jemctx.backend_memory_limit');
	is(query($session, 'SELECT count(DISTINCT m) FROM (SELECT m FROM big LIMIT 1000) s'), '1000', "$what: and works");
	return;
}

refused('plan', '12MB', 'SELECT count(*) FROM parted a JOIN parted b USING (id) JOIN parted c USING (id)');
refused('execute', '24MB', "SELECT length(repeat('x', 100000000))");
close_session($session);
undef $session;
refused('sort', '24MB', 'SELECT i FROM big ORDER BY m');
refused('hash aggregate', '24MB', 'SELECT m, count(*) FROM big GROUP BY m');
refused('hash join', '24MB', 'SELECT count(*) FROM big a JOIN big b USING (m)');
refused('array_agg', '24MB', 'SELECT array_agg(m) FROM big');
refused('string_agg', '24MB', "SELECT length(string_agg(m, ',')) FROM big");
refused('materialize', '24MB',
	'WITH w AS MATERIALIZED (SELECT * FROM big) SELECT count(*) FROM w a WHERE a.i < (SELECT max(i) FROM w)');
refused('COPY', '24MB', "COPY empty FROM PROGRAM 'head -c 60000000 /dev/zero | tr ''\\0'' x'");
refused('INSERT with deferred triggers',
	'24MB', 'BEGIN', 'INSERT INTO child SELECT i FROM parent, generate_series(1, 12)');
refused('CREATE INDEX', '24MB', 'BEGIN', 'CREATE INDEX ON big (m)');
refused('savepoint', '24MB', 'BEGIN', 'SAVEPOINT s',
	'INSERT INTO empty SELECT i, m FROM (SELECT i, m FROM big ORDER BY m) s');
refused('a library\'s malloc: libxml', '24MB',
	q(SELECT xpath('//a', xmlparse(content '<r>' || repeat('<a>b</a>', 200000) || '</r>'))),
	# libxml is not refused, but ends the statement
	qr/$out_of_memory\nDETAIL:  This process holds \d+ kB, which libxml2\.so\.\d+ has needed, .*may have 24576 kB\./);
close_session($session);
undef $session;
refused('a function\'s memory: pgcrypto', '24MB', q(SELECT length(pgp_sym_encrypt(repeat('x', 30000000), 'y'))));

# What is not small is refused also where it would pass the limit by little.
my $large = session($node);
my $held = query($large, 'SELECT committed / 1024 FROM jemctx_backends WHERE pid = pg_backend_pid()');
for my $more (map { 17000 + 500 * $_ } 0 .. 7)
{
	my $limit = $held + $more;

	query($large, "SET jemctx.backend_memory_limit = '${limit}kB'");
	like(query($large, "SELECT length(repeat('x', 20900000))"), qr/asked for \d+ kB more/, "$more kB more: refused");
	cmp_ok(backend($observer, $large, 'committed_peak'), '<=', $limit * 1024, "$more kB more: nothing beyond");
}
close_session($large);

# A deferred constraint is checked at COMMIT, which may be refused before the
# transaction is committed.
$session //= session($node);
query($session, '\set VERBOSITY verbose');
query($session, 'BEGIN');
query($session, 'INSERT INTO child SELECT * FROM parent LIMIT 100000');
query($session, 'CREATE CONSTRAINT TRIGGER late AFTER INSERT ON empty DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()');
query($session, 'ROLLBACK');
$node->safe_psql('postgres', q(
	CREATE FUNCTION hungry() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM length(repeat('x', 200000000)); RETURN NULL; END $$;
	CREATE TABLE late (i int);
	CREATE CONSTRAINT TRIGGER hungry AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION
	  hungry();
));
query($session, "SET jemctx.backend_memory_limit = '32MB'");
query($session, 'BEGIN');
query($session, 'INSERT INTO late VALUES (1)');
like(query($session, 'COMMIT'), $refusal, 'COMMIT: refused');
is(query($session, 'SELECT count(*) FROM late'), '0', 'COMMIT: nothing is committed');
query($session, 'SET CONSTRAINTS ALL IMMEDIATE');

# Aborting is never refused: at a limit far below what is held.
query($session, "SET jemctx.backend_memory_limit = '100MB'");
query($session,
	"BEGIN; DECLARE c CURSOR FOR SELECT i FROM big ORDER BY m; MOVE 1 IN c; SET jemctx.backend_memory_limit = '16MB'");
like(query($session, 'SELECT array_agg(m) FROM big'), $refusal, 'limit below what is held: growth is refused');
like(
	query($session, 'SELECT 1'),
	qr/current transaction is aborted/,
	'limit below what is held: the transaction is aborted');
query($session, 'ROLLBACK');
query($session, "SET jemctx.backend_memory_limit = '100MB'");
query($session, "BEGIN; DECLARE c CURSOR FOR SELECT i FROM big ORDER BY m; MOVE 1 IN c");
query($session, "SET jemctx.backend_memory_limit = '20MB'");
cmp_ok(backend($observer, $session, 'committed'), '>', 40e6, 'limit below what is held: nothing is taken away');
query($session, 'RESET jemctx.backend_memory_limit');
like(query($session, 'FETCH 1 FROM c'), qr/^\d+$/, 'limit below what is held: what is there works');
query($session, 'COMMIT');

# An exception block catches it and sees the reason; again and again.
query($session, "SET jemctx.backend_memory_limit = '24MB'");
for my $round (1 .. 3)
{
	like(query($session, 'SELECT catching()'), qr{^53200 / $holds 24576 kB\. / $raise},
		"exception block: catches it, round $round");
}
query($session, 'RESET jemctx.backend_memory_limit');

# Workers of a parallel query have the same limit, each.
my $parallel = session($node);
query($parallel, '\set VERBOSITY verbose');
query($parallel, "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off;
	SET jemctx.backend_memory_limit = '16MB'");
my $text = query($parallel, 'SELECT count(*) FROM (SELECT m FROM big ORDER BY m OFFSET 0) s');
like($text, qr/$out_of_memory\nDETAIL:  This process holds \d+ kB.*\nHINT:  $raise.*\nCONTEXT:  parallel worker/,
	'parallel worker: refused, and the leader says so')
  or diag $text;
query($parallel, 'RESET jemctx.backend_memory_limit');
is(query($parallel, 'SELECT count(*) FROM (SELECT m FROM big ORDER BY m OFFSET 0) s'),
	'400000', 'parallel worker: the session goes on');

# Unused memory is not what a limit is about: it is returned before anything is refused.
my $mixed = session($node);
query($mixed, "SET jemctx.backend_memory_limit = '64MB'; SET jemctx.idle_purge_after = -1");
for my $megabytes (10, 15, 22, 26, 13, 25, 9)
{
	is( query($mixed, "SELECT length(repeat('x', $megabytes * 1000000))"),
		$megabytes * 1000000,
		"unused memory: $megabytes MB after other sizes");
}

# Per role and database.
$node->safe_psql('postgres', q(
	CREATE ROLE limited LOGIN;
	GRANT SELECT ON big TO limited;
	ALTER ROLE limited SET jemctx.backend_memory_limit = '24MB';
));
my $limited = session($node, connstr => $node->connstr('postgres') . ' user=limited');
query($limited, '\set VERBOSITY verbose');
is(query($limited, 'SHOW jemctx.backend_memory_limit'), '24MB', 'role: has the limit');
like(query($limited, 'SELECT i FROM big ORDER BY m'), $refusal, 'role: is refused');
like(
	query($limited, 'SET jemctx.backend_memory_limit = 0'),
	qr/permission denied to set parameter/,
	'role: cannot lift it');
is(backend($observer, $limited, 'memory_limit'), 24 * 1048576, 'role: the limit is shown');

is(query($observer, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
nobody_died($node);
$node->stop;

done_testing();
