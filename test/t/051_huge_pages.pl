# What backends hold, beside those of a stock server, as the kernel's setting
# for transparent huge pages is.  The setting is the whole machine's, so the
# runner sets it, and pg_regress cannot.
use strict;
use warnings;

use List::Util qw(sum);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $setting = '/sys/kernel/mm/transparent_hugepage/enabled';
plan skip_all => 'needs transparent huge pages' unless -r $setting;
my ($mode) = slurp_file($setting) =~ /\[(\w+)\]/;

my $common = "jit = off\nmax_parallel_workers_per_gather = 0\nautovacuum = off\n";
my $ours = new_node('main', $common);
my $stock = PostgreSQL::Test::Cluster->new('stock');
$stock->init;
$stock->append_conf('postgresql.conf', $common);
$_->start for $ours, $stock;

# The private memory of a session, in kB.
sub held
{
	my ($session) = @_;
	my ($kb) = slurp_file('/proc/' . pid_of($session) . '/smaps_rollup') =~ /^Pss_Anon:\s+(\d+)/m;

	return $kb;
}

# Private memory without a file that could become a huge page.
sub eligible
{
	my ($pid) = @_;
	my @mappings = split /^(?=[0-9a-f]+-[0-9a-f]+ )/m, slurp_file("/proc/$pid/smaps");

	return join '', map { (split /\n/)[0] . "\n" } grep {
		/^\S+ rw-p \S+ 00:00 0 +\n/ && /^Size: +(\d+)/m && $1 >= 2048 && !/^VmFlags:.* nh/m } @mappings;
}

# khugepaged must have looked at all processes, twice from the beginning to the end.
sub huge_pages_made
{
	my $scans = '/sys/kernel/mm/transparent_hugepage/khugepaged/full_scans';
	my $before = slurp_file($scans);

	return 1 if $mode ne 'always';
	return poll(sub { slurp_file($scans) >= $before + 3 });
}

my %idle = map { my $node = $_; $node->name => [ map { session($node) } 1 .. 5 ] } $ours, $stock;
my %busy = map { $_->name => session($_) } $ours, $stock;
query($_, 'SELECT 1') for map { @$_ } values %idle;
for my $session (values %busy)
{
	query($session, big_sort());
	query($session, q(DO $$ BEGIN FOR i IN 1 .. 300 LOOP
		EXECUTE format('CREATE TEMP TABLE t%s (a int PRIMARY KEY, b text)', i); END LOOP; END $$));
}
cmp_ok(query($busy{main}, 'SELECT jemctx_purge()'), '>', 0, "$mode: a purge returns memory");
my $purged = held($busy{main});
ok(huge_pages_made(), "$mode: the kernel has done what it does")
  or diag "khugepaged is slow; the runner makes it faster";

my ($postmaster) = split /\n/, slurp_file($ours->data_dir . '/postmaster.pid');
is(eligible($_), '', "$mode: nothing can become a huge page") for $postmaster, pid_of($busy{main});

# An arena or two is what a connection has more than stock; a huge page would be 2,048 kB.
my %connection = map { my $name = $_; $name => sum(map { held($_) } @{ $idle{$name} }) / 5 } keys %idle;
cmp_ok($connection{main}, '<=', $connection{stock} + 300, "$mode: idle connections are as large as stock's");
cmp_ok(held($busy{main}), '<=', 1.15 * held($busy{stock}), "$mode: so is one that has worked");
cmp_ok(held($busy{main}), '<=', $purged + 100, "$mode: what was returned does not come back");
note 'kB: ' . join(
	'; ',
	map {
		my $name = $_;
		"$name: idle " . join(' ', map { held($_) } @{ $idle{$name} }) . ', after work ' . held($busy{$name})
	} sort keys %idle);

# Large pieces of memory have huge pages as long as they are in use, and never more than is counted.
my $sort = 'SELECT g, repeat($$x$$, 1000) AS t FROM generate_series(1, 60000) AS g ORDER BY t, g';
for my $wanted (qw(on off))
{
	my $session = session($ours);
	my $counted = 'SELECT committed / 1048576 FROM jemctx_backends WHERE pid = pg_backend_pid()';

	query($session, "SET jemctx.transparent_huge_pages = $wanted; SET work_mem = '256MB'; SET jit = off");
	query($session, "BEGIN; DECLARE c CURSOR FOR $sort; MOVE 1 IN c");
	my ($advised, $given) = huge_page_mb($session);
	note "$mode: $advised MB are to have huge pages, $given MB have them";
	if ($wanted eq 'off')
	{
		is($advised, 0, "$mode: no huge pages are wanted");
	}
	else
	{
		cmp_ok($advised, '>=', 32, "$mode: a large sort has huge pages");
		cmp_ok($advised, '<=', query($session, $counted), "$mode: only where memory is counted");
		query($session, "COMMIT; SELECT jemctx_purge()");
		is(eligible(pid_of($session)), '', "$mode: and none once it is returned");
	}
	close_session($session);
}

# What was large is used again for small pieces, and every second one is returned.
my $splits = sub { slurp_file('/proc/vmstat') =~ /^thp_split_page (\d+)/m ? $1 : die };
my $session = session($ours);
query($session, q(CREATE FUNCTION pieces() RETURNS int LANGUAGE plpgsql AS $$
	DECLARE pieces text[] := array_fill(NULL::text, ARRAY[4000]); x text := repeat('x', 15800); BEGIN
		FOR i IN 1 .. 4000 LOOP pieces[i] := x || i; END LOOP;
		FOR i IN 1 .. 2000 LOOP pieces[2 * i] := NULL; END LOOP;
		PERFORM jemctx_purge();
		RETURN array_length(string_to_array(pg_read_file('/proc/self/maps', 0, 10000000), E'\n'), 1);
	END $$; SET work_mem = '256MB'; SET jit = off));
my $mappings = query($session, 'SELECT pieces()');
query($session, "SELECT count(*) FROM ($sort) AS s") for 1 .. 4;
my ($advised, $given) = huge_page_mb($session);
cmp_ok($advised, '>=', 32, "$mode: what is kept has huge pages");
my $split = $splits->();
cmp_ok(query($session, 'SELECT pieces()'), '<=', $mappings + 200, "$mode: no mapping for each piece");
cmp_ok($splits->(), '>=', $split + $given / 8, "$mode: the kernel gets parts of huge pages back");
close_session($session);
$_->stop for $ours, $stock;

done_testing();
