# When catalog caches are dropped: by an idle backend some time after it has returned its free pages,
# by one that is never idle between two transactions; and that their memory has gone then, whatever was
# in them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
jit = off
max_locks_per_transaction = 1000
jemctx.idle_purge_after = 200
jemctx.idle_cache_limit = '1MB'
jemctx.idle_cache_after = '1h'
CONF
$node->start;
$node->safe_psql('postgres', q(
	CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
	DO $$ BEGIN FOR i IN 0..399 LOOP
		EXECUTE
		  format('CREATE TABLE parted_%s PARTITION OF parted FOR VALUES FROM (%s) TO (%s)', i, i * 10, (i + 1) * 10);
	END LOOP; END $$;
));
my $observer = session($node);
query($observer, 'SET jemctx.idle_purge_after = -1');
my $offset = -s $node->logfile;
my $fill = "SELECT count(*) FROM parted; SELECT length(repeat('x', 10000000))";
my ($small, $large) = (1.5e6, 2e6);

# The size of a session's caches, as it was published last.
sub cache_of
{
	my ($session) = @_;

	return backend($observer, $session, 'cache');
}

# How long after its answer a session has published its figures, in ms, which it does when it purges.
sub silent_for
{
	my ($session) = @_;
	my $pid = pid_of($session);

	return query($observer, "SELECT extract(epoch FROM published_at - state_change) * 1000
		FROM jemctx_backends JOIN pg_stat_activity USING (pid) WHERE pid = $pid");
}

# Let the session fill its caches, as the last thing that it does, and wait until it has purged after that.
sub fill
{
	my ($session, $what) = @_;
	my $before = backend($observer, $session, 'purges');

	query($session, $_) for split /; /, $fill;
	ok( poll(sub { backend($observer, $session, 'purges') > $before && silent_for($session) > 0 }),
		"$what: free pages go");
	return;
}

# Both times count from the answer, and are looked at by one alarm: free pages go first, then the caches.
my $late = session($node);
query($late, "SET jemctx.idle_cache_after = '1500ms'");
fill($late, 'later');
cmp_ok(cache_of($late), '>', $large, 'later: caches stay');
ok(poll(sub { cache_of($late) < $small }), 'later: then they go');
cmp_ok(silent_for($late), '>=', 1490, 'later: not before their time');

# They are as large again, and nothing else is to be purged, when an error turns the alarm off.
fill($late, 'after an error');
query($late, 'SELECT nonsense');
ok(poll(sub { cache_of($late) < $small }), 'after an error: caches go');
cmp_ok(silent_for($late), '>=', 1490, 'after an error: not before their time');

# Never sooner than free pages.
query($late, "SET jemctx.idle_cache_after = 0; SET jemctx.idle_purge_after = '1s'");
fill($late, 'never sooner');
cmp_ok(cache_of($late), '<', $small, 'never sooner: they go with them');
cmp_ok(silent_for($late), '>=', 990, 'never sooner: at that time');

# At the end of every statement, when that is wanted of both.
query($late, 'SET jemctx.idle_purge_after = 0');
query($late, $_) for split /; /, $fill;
ok(poll(sub { cache_of($late) < $small }), 'at once: they go');

# A session that never purges keeps its caches, and so does one in a transaction, which then is at rest.
my $never = session($node);
query($never, 'SET jemctx.idle_cache_after = 0; SET jemctx.idle_purge_after = -1');
query($never, $_) for split /; /, $fill;
query($never, 'SELECT 1');	# what was needed once has been returned
my $never_purges = backend($observer, $never, 'purges');
my $open = session($node);
query($open, 'SET jemctx.idle_cache_after = 0; BEGIN');
fill($open, 'in a transaction');
my $purges = backend($observer, $open, 'purges');
query($observer, 'SELECT pg_sleep(1)');
cmp_ok(cache_of($open), '>', $large, 'in a transaction: caches stay');
is(backend($observer, $open, 'purges'), $purges, 'in a transaction: and nothing happens');
query($open, 'COMMIT');
ok(poll(sub { cache_of($open) < $small }), 'in a transaction: they go when it is over');
is(backend($observer, $never, 'purges'), $never_purges, 'never: nothing is purged');
ok(poll(sub { query($never, 'SELECT 1'); cache_of($never) > $large }), 'never: caches stay');
close_session($_) for $never, $open;

# A backend that is never idle drops them between two transactions, and not again for as long.
my $busy = session($node);
query($busy, "SET jemctx.busy_cache_limit = '1MB'; SET jemctx.idle_purge_after = '1h'");

# Is the session seen with large caches, or with small ones, while it works?
sub seen_busy
{
	my ($is_seen) = @_;

	return poll(sub { query($busy, 'SELECT 1'); $is_seen->(cache_of($busy)) });
}

query($busy, 'BEGIN');
query($busy, 'SELECT count(*) FROM parted');
ok(seen_busy(sub { $_[0] > $large }), 'busy, in a transaction: caches stay');
query($busy, 'COMMIT');
ok(seen_busy(sub { $_[0] < $small }), 'busy: they are dropped between two transactions');
is(query($busy, 'SELECT count(*) FROM parted'), '0', 'busy: the session goes on');
ok(seen_busy(sub { $_[0] > $large }), 'busy: they are large again');
my $published = 'SELECT published_at FROM jemctx_backends WHERE pid = ' . pid_of($busy);
my $before = query($observer, $published);
ok(poll(sub { query($busy, 'SELECT 1'); query($observer, $published) ne $before }), 'busy: it looks at them again');
cmp_ok(cache_of($busy), '>', $large, 'busy: and they stay, until it is time');
query($busy, 'SET jemctx.idle_cache_after = 0');
ok(seen_busy(sub { $_[0] < $small }), 'busy: then they are dropped again');
close_session($busy);

# Names of nothing are cached, too, with a hash table that stays, and is most of what is left.
my $absent = session($node);
query($absent, "SELECT count(to_regclass('absent' || g)) FROM generate_series(1, 300000) g");
cmp_ok(backend($observer, $absent, 'committed'), '>', 100e6, 'names of nothing: large caches');
query($absent, "SET jemctx.idle_cache_limit = '8MB'; SET jemctx.idle_cache_after = 0");
ok(poll(sub { cache_of($absent) < 12e6 }), 'names of nothing: are dropped');
cmp_ok(backend($observer, $absent, 'committed'), '<', 16e6, 'names of nothing: their memory has gone');
is(query($absent, "SELECT to_regclass('absent1') IS NULL, to_regclass('parted')"),
	't|parted', 'names of nothing: the session goes on');

unlike(slurp_file($node->logfile, $offset), qr/LOG:  could not drop|WARNING|PANIC/, 'nothing has failed');
$node->stop;

done_testing();
