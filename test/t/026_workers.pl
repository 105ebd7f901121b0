# Processes without a client return what they do not use, too: they have no
# SQL interface, so a second server and the registry tell.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $apply_worker = 'logical replication ' . (server_major() < 17 ? 'worker' : 'apply worker');
my $conf = "jit = off\nwal_level = logical\nmax_wal_senders = 5\nmax_replication_slots = 5\n"
  . "logical_decoding_work_mem = '64MB'\nautovacuum = on\nautovacuum_naptime = 1s\n";
my $publisher = new_node('publisher', $conf);
my $subscriber = new_node('subscriber', $conf);
$_->start for $publisher, $subscriber;
my $table = 'CREATE TABLE t (i int, v text)';
$_->safe_psql('postgres', $table) for $publisher, $subscriber;
$publisher->safe_psql('postgres', 'CREATE PUBLICATION p FOR TABLE t');
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION s CONNECTION '" . $publisher->connstr . " dbname=postgres' PUBLICATION p");
$subscriber->wait_for_subscription_sync($publisher, 's');

# A process that is not there holds no little.
sub figures
{
	my ($node, $type) = @_;
	my @figures = split /\|/,
	  $node->safe_psql('postgres',
		"SELECT committed, committed_peak, purges FROM jemctx_backends WHERE backend_type = '$type'");

	return @figures ? @figures : (9**9**9, 0, 0);
}

# Many changes in one transaction are collected by the walsender, and applied
# by the worker; then both have nothing to do.
$publisher->safe_psql('postgres', "INSERT INTO t SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 60000) g");
$publisher->wait_for_catchup('s');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM t'), '60000', 'changes are applied');
my (undef, $peak) = figures($publisher, 'walsender');
cmp_ok($peak, '>', 25e6, 'the walsender needed memory');
ok(poll(sub { (figures($publisher, 'walsender'))[0] < 12e6 }), 'and has returned it')
  or diag join ' ', figures($publisher, 'walsender');
cmp_ok((figures($publisher, 'walsender'))[2], '>', 0, 'by a purge');
ok(poll(sub { (figures($subscriber, $apply_worker))[0] < 12e6 }), 'the worker holds little');

# A trigger on the subscriber makes the worker need memory.
$subscriber->safe_psql('postgres', q(
	CREATE FUNCTION hungry() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM length(repeat('x', 50000000)); RETURN NULL; END $$;
	CREATE TRIGGER hungry AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION hungry();
	ALTER TABLE t ENABLE ALWAYS TRIGGER hungry;
));
$publisher->safe_psql('postgres', "INSERT INTO t VALUES (0, 'hungry')");
$publisher->wait_for_catchup('s');
ok(poll(sub { my ($now, $most, $purges) = figures($subscriber, $apply_worker); $most > 50e6
	  && $now < 12e6 && $purges > 0 }),
	'the worker has returned what it needed') or diag join ' ', figures($subscriber, $apply_worker);

# A limit is not for them.
$subscriber->append_conf('postgresql.conf', "jemctx.backend_memory_limit = '16MB'\n");
$subscriber->reload;
ok(poll(sub { $subscriber->safe_psql('postgres', 'SHOW jemctx.backend_memory_limit') eq '16MB' }), 'a limit is set');
$publisher->safe_psql('postgres', "INSERT INTO t VALUES (1, 'hungry')");
$publisher->wait_for_catchup('s');
is($subscriber->safe_psql('postgres', "SELECT count(*) FROM t WHERE v = 'hungry'"), '2', 'the worker is not refused');
is( $subscriber->safe_psql(
		'postgres', "SELECT sum(refused) FROM jemctx_backends WHERE backend_type <> 'client backend'"),
	'0',
	'nobody was');

# The launcher of autovacuum, and its workers, which end.
$publisher->safe_psql('postgres',
	"CREATE TABLE a AS SELECT g AS i, md5(g::text) AS v FROM generate_series(1, 20000) g");
ok( poll(
		sub {
			$publisher->safe_psql('postgres',
				"SELECT autoanalyze_count > 0 FROM pg_stat_user_tables WHERE relname = 'a'") eq 't';
		}),
	'autovacuum works');
ok(poll(sub { (figures($publisher, 'autovacuum launcher'))[0] < 12e6 }), 'its launcher holds little');
$_->stop for $subscriber, $publisher;

done_testing();
