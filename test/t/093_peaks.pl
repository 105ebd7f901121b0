# What a session holds at most within one statement is what a stock server's does:
# a process that grows keeps nothing beside.  The kernel says what it holds.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $common = "jit = off\nmax_parallel_workers_per_gather = 0\nautovacuum = off\n";
my $ours = new_node('main', $common);
my $stock = PostgreSQL::Test::Cluster->new('stock');
$stock->init;
$stock->append_conf('postgresql.conf', $common);
$_->start for $ours, $stock;

# The most that a new session has held for itself once it has carried out a statement, in kB.
sub peak
{
	my ($node, $statement) = @_;
	my $session = session($node);

	query($session, $statement);
	my $status = slurp_file('/proc/' . pid_of($session) . '/status');
	my %kb = $status =~ /^(VmHWM|RssFile|RssShmem):\s+(\d+) kB/mg;
	close_session($session);
	return $kb{VmHWM} - $kb{RssFile} - $kb{RssShmem};
}

my %statements = (
	'a text that grows in a loop' => q(DO $body$
		DECLARE t text := ''; y text := repeat('y', 400000);
		BEGIN FOR i IN 1 .. 100 LOOP t := t || y; END LOOP; END $body$),
	'a string that doubles its room' => q(
		SELECT length(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 70000)),
	'an array that doubles its room' => 'SELECT array_length(array_agg(g), 1) FROM generate_series(1, 4300000) g',
	'values of many sizes' => q(DO $body$
		DECLARE t text; x text := repeat('x', 1000);
		BEGIN FOR i IN 1 .. 40 LOOP t := repeat(x, (i * 7919) % 30000 + 1000); END LOOP; END $body$));

for my $what (sort keys %statements)
{
	my ($kb, $stock_kb) = map { peak($_, $statements{$what}) } $ours, $stock;

	cmp_ok($kb, '<=', 1.1 * $stock_kb, "$what: no more than 1.1 of stock");
	note "$what: $kb kB, stock $stock_kb kB";
	cmp_ok($stock_kb, '>', 60000, "$what: and it is much");
}

# So it is for a session that keeps much, beyond that.
my $session = session($ours);
query($session, 'SET jemctx.idle_purge_after = -1; ' . big_sorts());
cmp_ok(query($session, 'SELECT kept FROM jemctx_backends WHERE pid = pg_backend_pid()'), '>', 40e6, 'it keeps much');
query($session, 'DO $body$ BEGIN PERFORM length(repeat(repeat($$x$$, 1000), 150000)); END $body$');
cmp_ok(query($session, 'SELECT committed_peak FROM jemctx_backends WHERE pid = pg_backend_pid()'), '<', 350e6,
	'and returns it before it needs more than that');

# Nor does it fault for ever: what its statements need again and again it has.
sub faults
{
	my $pid = pid_of($session);

	return (split(/ /, slurp_file("/proc/$pid/stat") =~ s/.*\) //rs))[7];
}
ok( poll(
		sub {
			my $before = faults();
			query($session, q(SELECT length(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 16000)));
			return faults() - $before < 400;
		}),
	'a string of 16 MB is made without page faults in the end');
$_->stop for $ours, $stock;

done_testing();
