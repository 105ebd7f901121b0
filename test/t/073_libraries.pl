# Libraries that ask for memory at a limit: they get it, the statement ends with an error as soon as
# they have returned, and beyond jemctx.library_headroom their session ends, and nothing else.  Such
# sessions end, so this is nothing for pg_regress; test/libraries does it with real libraries.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
max_parallel_workers_per_gather = 0
jemctx.library_headroom = '16MB'
log_disconnections = on
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');

my $observer = session($node);
my $start_time = query($observer, 'SELECT pg_postmaster_start_time()');
my $hint = qr/HINT:  Raise "jemctx\.backend_memory_limit", or let/;
my $too_much = qr/jemctx_test\.so asked for more than the 16384 kB that libraries may have beyond that/;
my $beyond = qr/DETAIL:  This process holds \d+ kB and may have \d+ kB, and $too_much/;

# A session that has been here before: what it loads and catches first is not what this is about.
sub new_session
{
	my $session = session($node);

	query($session, "SELECT jemctx_test_library('malloc', 1, 1), jemctx_test_library_free()");
	query($session, '\set VERBOSITY verbose');
	pid_of($session);
	return $session;
}

# The limit is so many kB above what the session holds.
sub limit
{
	my ($session, $above) = @_;

	query($session, 'SELECT jemctx_purge()');
	my $limit = $above + query($session, 'SELECT committed / 1024 FROM jemctx_backends WHERE pid = pg_backend_pid()');
	query($session, "SET jemctx.backend_memory_limit = '${limit}kB'");
	return $limit;
}

sub works
{
	my ($session, $what) = @_;

	query($session, 'SET jemctx.backend_memory_limit = 0');
	query($session, 'SELECT jemctx_test_library_free()');
	is(query($session, "SELECT jemctx_test_library('malloc', 4096, 1000)"), 1000, "$what: the session works");
	query($session, 'SELECT jemctx_test_library_free()');
	return;
}

# That library takes what there is until the session ends: how many kB it holds then, and may have, with the headroom.
sub ends_at
{
	my ($session, $way, $library) = @_;
	my $asked = qr/and $library asked for more than the (\d+) kB that libraries may have beyond that/;
	my $answer = query($session, "SELECT jemctx_test_library('$way', 100000, 80)");
	my ($held, $limit, $headroom) =
	  $answer =~ /FATAL:  53200: .*\nDETAIL:  This process holds (\d+) kB and may have (\d+) kB, $asked/
	  or die $answer;

	close_session($session);
	return ($held, $limit + $headroom);
}

# Any of malloc's kin, with blocks of pages and with small ones.
for my $way ('malloc', 'calloc', 'realloc', 'posix_memalign', 'aligned_alloc', 'memalign', 'valloc', 'new', 'new[]',
	'nothrow new',
	'nothrow new[]', 'aligned new', 'aligned new[]', 'aligned nothrow new', 'aligned nothrow new[]')
{
	my $session = new_session();
	my $limit = limit($session, 2048);
	my $text = query($session, "SELECT jemctx_test_library('$way', 10000, 600) FROM generate_series(1, 2)");
	like($text, qr/ERROR:  53200: out of memory\nDETAIL:  .*jemctx_test\.so.*\n$hint/, "$way: the statement ends");
	unlike($text, qr/server closed/, "$way: the session does not");
	cmp_ok(backend($observer, $session, 'committed_peak'), '>', ($limit + 2048) * 1024, "$way: has passed the limit");
	works($session, $way);

	$limit = limit($session, 2048);
	$text = query($session, "SELECT jemctx_test_library('$way', 100, 1000000)");
	like($text, qr/FATAL:  53200: out of memory\n$beyond/, "$way: beyond the headroom the session ends");
	cmp_ok(
		query($observer, 'SELECT max(committed_peak) FROM jemctx_backends'),
		'<',
		($limit + 40000) * 1024,
		"$way: not much later");
	close_session($session);
}

# An error that can be caught, again and again, once what the function needs is in the caches.
my $session = new_session();
$node->safe_psql('postgres', q(
	CREATE FUNCTION catching(blocks int) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE result text := '';
	BEGIN
		FOR i IN 1 .. 3 LOOP
			BEGIN
				PERFORM jemctx_test_library('malloc', 10000, abs(blocks)) FROM generate_series(1, 2);
				IF blocks < 0 THEN RAISE out_of_memory; END IF;
				result := result || 'went on ';
			EXCEPTION WHEN out_of_memory THEN
				PERFORM jemctx_test_library_free();
				result := result || 'caught ';
			END;
		END LOOP;
		RETURN result;
	END $$;
));
query($session, 'SELECT catching(-600)');
is( query($session, 'SELECT catching(600)'),
	'went on went on went on ',
	'exception block: without a limit there is nothing to catch');
query($session, 'SELECT jemctx_test_library_free()');
limit($session, 2048);
is(query($session, 'SELECT catching(600)'), 'caught caught caught ', 'exception block: catches it');
works($session, 'exception block');

# Back under the limit when PostgreSQL comes by: nothing has happened.
limit($session, 4096);
is(query($session, q(SELECT CASE g WHEN 1 THEN jemctx_test_library('malloc', 10000, 600) ELSE NULL END,
	jemctx_test_library_free()::text FROM generate_series(1, 2) g)),
	"600|\n|", 'memory that was freed in time is no error');
works($session, 'freed in time');

# What PostgreSQL needs beside is lent, if it is small, until PostgreSQL comes by.
my $both = 'DO $$ DECLARE i int; BEGIN
	i := length(rpad($s$x$s$, 200000 + 0 * jemctx_test_library($s$malloc$s$, 10000, %d))); END $$';
my $out_of_memory = qr/ERROR:  53200: out of memory\nDETAIL:  This process holds \d+ kB/;
my $needed = qr/$out_of_memory, which jemctx_test\.so has needed/;
query($session, sprintf($both, 1));
limit($session, 2048);
like(query($session, sprintf($both, 600)), qr/$needed, and may/, 'a little beside is lent');
works($session, 'a little beside');
my $instead = q(DO $$ DECLARE i int; BEGIN i := length(rpad('x', 1500000 + 0 *
	(jemctx_test_library('malloc', 10000, 600) + length(jemctx_test_library_free()::text)))); END $$);
query($session, $instead);
limit($session, 2048);
like(query($session, $instead),
	qr/ERROR:  53200: out of memory\nDETAIL:  .*asked for \d+ kB more/, 'much instead of a library is not');
works($session, 'much instead');

# A statement that has ended before PostgreSQL comes by has succeeded. While the library keeps what it has got, what
# needs no more goes on, and what does is refused and told why.
my $fetch = q(DECLARE c CURSOR FOR SELECT jemctx_test_library('malloc', 10000, %d); FETCH c);
query($session, 'BEGIN; ' . sprintf($fetch, 1) . '; COMMIT');
limit($session, 2048);
query($session, 'BEGIN');
is(query($session, sprintf($fetch, 600)), '600', 'held above the limit: a statement that has ended');
is(query($session, 'COMMIT'), '', 'held above the limit: it is committed');
is(query($session, 'SELECT 1'), '1', 'held above the limit: a statement that needs nothing');
like(query($session, "SELECT length(repeat('x', 10000000))"),
	qr/$needed, (asked for|and may)/, 'held above the limit: no more');
query($session, 'SELECT jemctx_test_library_free()');
query($session, 'SELECT jemctx_purge()');
like(query($session, "SELECT length(repeat('x', 10000000))"),
	qr/$out_of_memory, asked for/, 'given back: it is not told any more');
works($session, 'held above the limit');

# Where no error could be raised and no session ended the library gets all it wants; then PostgreSQL is refused more.
for my $what ('lock', 'interrupts')
{
	limit($session, 2048);
	is(query($session, "SELECT jemctx_test_library_held('$what', 100000, 400)"), 400,
		"$what held: the library has all");
	like(
		query($session, "SELECT length(repeat('x', 10000000))"),
		qr/ERROR:  53200/,
		"$what held: PostgreSQL has no more");
	close_session($session);
	$session = new_session();
}

# libpq copes, and is in use when a transaction is aborted. A value of 20 MB needs 32 at once there; each limit is met
# at another place on the way.
$node->safe_psql('postgres', sprintf(q(
	CREATE EXTENSION postgres_fdw;
	CREATE TABLE big AS SELECT 1 AS i, repeat('x', 20000000) AS t;
	CREATE SERVER itself FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '%s', dbname 'postgres');
	CREATE USER MAPPING FOR CURRENT_USER SERVER itself;
	CREATE FOREIGN TABLE foreign_big (i int, t text) SERVER itself OPTIONS (table_name 'big');
), $node->host, $node->port));
query($session, 'SELECT i FROM foreign_big');
for my $above (4096, 12288, 20480)
{
	my $what = "libpq, $above kB more";

	limit($session, $above);
	query($session, 'BEGIN');
	like(query($session, 'SELECT length(t) FROM foreign_big'),
		qr/ERROR:  53200: .*memory.*\n(?:.*\n)*DETAIL:  This process holds .*\n$hint/, "$what: the statement ends");
	query($session, 'ROLLBACK');
	works($session, $what);
	is(query($session, 'SELECT length(t) FROM foreign_big'), '20000000', "$what: and so does the connection");
}

# What a session that ends so has held is given back: locks, temporary tables, its place among the connections.
query($session, 'CREATE TEMP TABLE temporary AS SELECT i FROM generate_series(1, 1000) i; BEGIN;
	SELECT pg_advisory_lock(73); LOCK TABLE pg_description');
my $pid = pid_of($session);
limit($session, 2048);
like(
	query($session, "SELECT jemctx_test_library('malloc', 1000, 100000)"),
	qr/FATAL:  53200/,
	'with locks and files: the session ends');
poll(sub { query($observer, "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid") eq '0' });
is(query($observer, "SELECT count(*) FROM pg_locks WHERE pid = $pid"), '0', 'with locks and files: no lock is left');
is(query($observer, "SELECT count(*) FROM pg_class WHERE relname = 'temporary'"),
	'0', 'with locks and files: no temporary table is left');
my $session_time = qr/session time: \d+:\d\d:\d\d\.\d{3}/;
like(slurp_file($node->logfile),
	qr/\[$pid\] .*LOG:  disconnection: $session_time user=\S+ database=postgres host=\[local\]\n/,
	'with locks and files: the log says so');
is(query($observer, "SELECT sessions_fatal > 0 FROM pg_stat_database WHERE datname = 'postgres'"),
	't', 'with locks and files: PostgreSQL knows how it ended');
close_session($session);

# A parallel worker ends like a session; the leader's statement ends with it, and the session goes on.
$session = new_session();
$node->safe_psql('postgres', q(
	CREATE FUNCTION in_worker(text, int, int) RETURNS int AS 'jemctx_test', 'jemctx_test_library'
		LANGUAGE C STRICT PARALLEL SAFE;
	CREATE TABLE numbers AS SELECT i FROM generate_series(1, 1000) i; ANALYZE numbers;
));
query($session, 'SET ' . parallel_setting() . ' = on; SET max_parallel_workers_per_gather = 2');
my $refused = qr/ERROR:  53200: out of memory/;
for my $blocks (6000, 60000)
{
	limit($session, 4096);
	like(query($session, "SELECT sum(in_worker('malloc', 1000, $blocks)) FROM numbers WHERE i = 1"),
		qr/$refused\nDETAIL:  This process holds .*jemctx_test\.so.*\n$hint.*\nCONTEXT:  parallel worker/,
		"parallel worker, $blocks blocks: the statement ends");
	works($session, "parallel worker, $blocks blocks");
}
close_session($session);

$session = new_session();
# Without headroom a library cannot pass the limit at all, and PostgreSQL's own memory is refused as ever.
query($session, "SET jemctx.library_headroom = 0");
limit($session, 2048);
my $asked = qr/DETAIL:  This process holds \d+ kB, asked for \d+ kB more, and may have \d+ kB\./;
like(query($session, "SELECT length(repeat('x', 10000000))"), qr/ERROR:  53200: out of memory\n$asked\n$hint/,
	'no headroom: PostgreSQL is refused');
my ($held, $most) = ends_at($session, 'malloc', qr/jemctx_test\.so/);
cmp_ok($held, '<=', $most, 'no headroom: the session ends, and the library has passed nothing');

# libc, which may ask for PostgreSQL, has PostgreSQL's allowance on top of libraries' headroom.
$session = new_session();
query($session, "SET jemctx.library_headroom = 0");
limit($session, 4096);
my $ending = pid_of($session);
($held, $most) = ends_at($session, 'strdup', qr/libc\.so\.6/);
cmp_ok($held, '>', $most + 500, 'libc: goes as far as libraries and PostgreSQL together');
ok(poll(sub { !kill(0, $ending) }), 'and what it has held is free');

# A server that others have filled: an innocent session's library has its headroom, beyond the server's limit.
my $innocent = new_session();
$session = new_session();
query($session, "SELECT jemctx_test_library('malloc', 1000000, 100)");
my $full = int(query($observer, 'SELECT committed / 1024 FROM jemctx_server'));
query($observer, "ALTER SYSTEM SET jemctx.server_memory_limit = '${full}kB'");
query($observer, 'SELECT pg_reload_conf()');
ok(poll(sub { query($innocent, 'SHOW jemctx.server_memory_limit') ne '-1' }), 'the limit has reached it');
my $text = query($innocent, "SELECT jemctx_test_library('malloc', 10000, 600) FROM generate_series(1, 2)");
like($text, qr/ERROR:  53200: out of memory\nDETAIL:  The server/, 'full server: the statement ends');
$text = query($innocent, "SELECT jemctx_test_library('malloc', 10000, 3000)");
like($text, qr/53200: out of memory\nDETAIL:  The server/, 'full server: so does a greedy library\'s session');
query($session, 'SELECT jemctx_test_library_free()');
close_session($session);
close_session($innocent);

is(query($observer, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
nobody_died($node);
$node->stop;

done_testing();
