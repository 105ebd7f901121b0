# Catalog caches of idle backends are dropped, which needs a client that is
# silent; and nothing that a session has open is disturbed.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
jit = off
max_locks_per_transaction = 1000
jemctx.idle_purge_after = -1
jemctx.idle_cache_limit = -1
jemctx.idle_cache_after = 0
CONF
$node->start;
$node->safe_psql('postgres', q(
	CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
	DO $$ BEGIN FOR i IN 0..699 LOOP
		EXECUTE
		  format('CREATE TABLE parted_%s PARTITION OF parted FOR VALUES FROM (%s) TO (%s)', i, i * 10, (i + 1) * 10);
	END LOOP; END $$;
	INSERT INTO parted SELECT g, md5(g::text) FROM generate_series(0, 4999) g;
));
my $observer = session($node);
my $all = 'SELECT count(*) FROM parted WHERE id < 1000000000';

# The size of a session's caches, as it was published last.
sub cache_of
{
	my ($session) = @_;

	return backend($observer, $session, 'cache');
}

# Sessions purge when they are told to: after some statements, having been idle
# for a moment.  Then their figures are published, too.
sub purges
{
	my ($session, $after, $what) = @_;
	my $answer = query($session, $after);

	# some of which is kept
	query($session, "SELECT length(repeat('x', 10000000));" x 3);
	my $before = backend($observer, $session, 'purges');
	query($session, 'SET jemctx.idle_purge_after = 200');
	ok(poll(sub { backend($observer, $session, 'purges') > $before }), "$what: purges");
	query($session, 'RESET jemctx.idle_purge_after');
	return $answer;
}

# Without a limit they stay; the memory of this session is the peer.
my $peer = session($node);
is(purges($peer, $all, 'peer'), '5000', 'peer: a query over all partitions');
my $full = cache_of($peer);
my $full_committed = backend($observer, $peer, 'committed');
cmp_ok($full, '>', 3e6, 'peer: its caches are large, and stay');

# With one they go, and their memory with them.
my $session = session($node);
query($session, "SET jemctx.idle_cache_limit = '1MB'");
purges($session, $all, 'with a limit');
cmp_ok(cache_of($session), '<', 2e6, 'caches are dropped');
cmp_ok(
	$full_committed - backend($observer, $session, 'committed'),
	'>',
	0.7 * ($full - cache_of($session)),
	'and their memory has gone');
is(query($session, $all), '5000', 'the next statement reads the catalogs again');

# An idle backend that is asked for its memory does the same.
query($session, $all);
my $pid = pid_of($session);
cmp_ok(query($observer, "SELECT jemctx_purge($pid)"), '>', 0, 'a backend is asked');
cmp_ok(cache_of($session), '<', 2e6, 'and drops its caches, too');

# So does one that is busy, at the end of its statement.
query($observer, 'SELECT pg_advisory_lock(1)');
send_query($session, 'SELECT count(*) FROM (SELECT pg_advisory_lock(1)) l, parted WHERE id < 1000000000');
ok(waits_at($observer, $session, 'advisory'), 'a busy backend');
query($observer, "SELECT jemctx_purge($pid)");
query($observer, 'SELECT pg_advisory_unlock(1)');
is(answer($session), '5000', 'answers');
ok(poll(sub { cache_of($session) < 2e6 }), 'drops its caches at the end of its statement');

# Not when there is a transaction, and only above the limit.
query($session, 'BEGIN');
purges($session, $all, 'in a transaction');
cmp_ok(cache_of($session), '>', 3e6, 'in a transaction: caches stay');
query($session, 'COMMIT');
my $roomy = session($node);
query($roomy, "SET jemctx.idle_cache_limit = '1GB'");
purges($roomy, $all, 'below the limit');
cmp_ok(cache_of($roomy), '>', 3e6, 'below the limit: caches stay');

# What is open stays open.
my $open = session($node);
query($open, q(
	SET jemctx.idle_cache_limit = 0;
	CREATE TEMP TABLE t (i int PRIMARY KEY, v text);
	INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, 1000) g;
	PREPARE p (int) AS SELECT v FROM t WHERE i = $1;
	PREPARE q AS SELECT count(*) FROM parted;
	EXECUTE p(1); EXECUTE p(2); EXECUTE p(3); EXECUTE p(4); EXECUTE p(5); EXECUTE p(6);
	BEGIN;
	DECLARE c CURSOR WITH HOLD FOR SELECT i FROM t ORDER BY i;
	COMMIT;
	CREATE FUNCTION pg_temp.f(int) RETURNS text LANGUAGE plpgsql AS $f$
		BEGIN RETURN (SELECT v FROM t WHERE i = $1); END $f$;
	SELECT pg_temp.f(1)));
for my $round (1 .. 3)
{
	purges($open, $all, "round $round");
	cmp_ok(cache_of($open), '<', 3e6, "round $round: caches are dropped");
	is(query($open, 'FETCH 1 FROM c'), $round, "round $round: the cursor goes on");
	is( query($open,     "EXECUTE p($round)"),
		query($observer, "SELECT md5('$round')"),
		"round $round: the prepared statement works");
	is(query($open, 'EXECUTE q'), '5000', "round $round: so does one over the partitions");
	is( query($open,     "SELECT pg_temp.f($round)"),
		query($observer, "SELECT md5('$round')"),
		"round $round: and a function");
	is(query($open, 'SELECT count(*) FROM t'), '1000', "round $round: the temporary table is there");
	query($observer, "ALTER TABLE parted ADD COLUMN c$round int");
}

# What is left above the limit is not dropped again and again.
query($open, 'SET jemctx.idle_purge_after = 200');
my $purges = backend($observer, $open, 'purges');
query($observer, "SELECT pg_sleep(2)");
cmp_ok(backend($observer, $open, 'purges') - $purges, '<=', 1, 'an idle backend comes to rest');

# Who may set it.
$node->safe_psql('postgres', 'CREATE ROLE someone LOGIN');
like(($node->psql('postgres', 'SET jemctx.idle_cache_limit = 0', extra_params => [ '-U', 'someone' ]))[2],
	qr/permission denied to set parameter "jemctx.idle_cache_limit"/, 'only a superuser sets the limit');
$node->stop;

done_testing();
