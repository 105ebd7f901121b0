# What the server's own environment holds must not reach the programs it
# runs, and what the user's holds must.  SQL alone does not show it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Cwd qw(realpath);
use JemctxTest;

my @names = qw(LD_PRELOAD MALLOC_CONF GLIBC_TUNABLES);
my $node = new_node('main', "wal_level = replica\narchive_mode = on\n");
my $copied = realpath($node->basedir) . '/copied';
my $archived = realpath($node->basedir) . '/archived';

$node->append_conf('postgresql.conf', "archive_command = 'env > $archived.new && mv $archived.new $archived'\n");

# The variables of interest in a file that env wrote.
sub variables
{
	my ($file) = @_;
	my @lines = grep { /^(LD_PRELOAD|MALLOC_CONF|GLIBC_TUNABLES|JEMCTX)/ } split /\n/, slurp_file($file);
	return join "\n", sort @lines;
}

sub check_programs
{
	my ($what, $expected) = @_;

	unlink $copied, $archived;
	$node->safe_psql('postgres', "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; env > $copied'");
	is(variables($copied), $expected, "$what: COPY TO PROGRAM");
	$node->safe_psql('postgres', 'CREATE TABLE t (); DROP TABLE t; SELECT pg_switch_wal()');
	$node->poll_query_until('postgres', "SELECT length(pg_read_file('$archived', 0, 100000, true)) > 0")
	  or die 'archive_command was not run';
	is(variables($archived), $expected, "$what: archive_command");
	return;
}

delete @ENV{@names};
$node->start;
is(info($node, 'origin'), 're-executed', 'jemalloc: re-executed');
is(info($node, 'malloc'), 'jemalloc', 'jemalloc: malloc is it');
check_programs('jemalloc, nothing set', '');
$node->stop;

{
	local @ENV{@names} = ('libm.so.6', 'lg_prof_sample:17,narenas:1', 'glibc.malloc.perturb=0');
	my $users = "GLIBC_TUNABLES=glibc.malloc.perturb=0\nLD_PRELOAD=libm.so.6\nMALLOC_CONF=lg_prof_sample:17,narenas:1";

	$node->start;
	check_programs('jemalloc, user set', $users);
	is( $node->safe_psql('postgres', q(
		SELECT o->>'lg_prof_sample', o->>'narenas', o->>'oversize_threshold'
		FROM (SELECT jemctx_stats_json()->'jemalloc'->'opt' AS o) s)),
		'17|1|0', 'the MALLOC_CONF of the user is extended');
	$node->stop;

	$node->append_conf('postgresql.conf', "jemctx.process_malloc = system\n");
	$node->start;
	is(info($node, 'origin'), 'dlopened', 'system: opened beside malloc');
	is(info($node, 'malloc'), 'system', 'system: malloc is the system\'s');
	check_programs('system, user set', $users);
	$node->stop;
}

$node->start;
check_programs('system, nothing set', '');
is( $node->safe_psql('postgres', "SELECT c.name, a.name FROM jemctx_contexts c JOIN jemctx_arenas a USING (arena)"),
	'CacheMemoryContext|persistent', 'system: catalog caches are in the persistent arena');
committed_is_exact($node, 'system');
$node->stop;

# A server that has jemalloc already is left alone.
{
	local $ENV{LD_PRELOAD} = 'libjemalloc.so.2';

	$node->append_conf('postgresql.conf', "jemctx.process_malloc = jemalloc\n");
	$node->start;
	is(info($node, 'origin'), 'preloaded', 'preloaded: not re-executed');
	my $pid = postmaster_pid($node);
	unlike(slurp_file("/proc/$pid/environ"), qr/JEMCTX/, 'preloaded: no guard');
	check_programs('preloaded', 'LD_PRELOAD=libjemalloc.so.2');
	committed_is_exact($node, 'preloaded');
	# with an arena of jemalloc's for large allocations
	is( $node->safe_psql('postgres', q(
		SET work_mem = '64MB';
		SELECT count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 300000) g ORDER BY m) s;
		SELECT committed = active + dirty FROM jemctx_arenas WHERE name = 'huge')),
		"300000\nt", 'preloaded: the huge arena is counted, too');
	$node->stop;
}

done_testing();
