# What the server's own environment holds must not reach the programs it
# runs, and what the user's holds must.  SQL alone does not show it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Cwd qw(realpath);
use File::Copy qw(copy);
use JemctxTest;

my @names = qw(LD_PRELOAD MALLOC_CONF GLIBC_TUNABLES);
my $node = new_node('main', "wal_level = replica\narchive_mode = on\n");
my $copied = realpath($node->basedir) . '/copied';
my ($pkglibdir) = split /\n/, qx(pg_config --pkglibdir);
my $module = "$pkglibdir/jemctx.so";
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

# What a statement has freed must make room for the next one at a limit.
sub makes_room
{
	my ($node, $what) = @_;

	is( session_output($node, q(
		SET jemctx.backend_memory_limit = '100MB'; SET work_mem = '200MB';
		DO $$ BEGIN
			PERFORM length(repeat('x', size)) FROM generate_series(72000000, 72000000) size;
			PERFORM count(*) FROM (SELECT g, md5(g::text) m FROM generate_series(1, 300000) g ORDER BY m) s;
			PERFORM length(repeat('x', size)) FROM generate_series(72000000, 72000000) size;
		END $$;
		SELECT 'room')),
		"room\n", "$what: what was freed makes room");
	return;
}

delete @ENV{@names};
$node->start;
is(info($node, 'origin'), 're-executed', 'jemalloc: re-executed');
is(info($node, 'malloc'), 'jemalloc', 'jemalloc: malloc is it');
check_programs('jemalloc, nothing set', '');
$node->stop;

{
	local @ENV{@names} = ('libm.so.6', 'lg_prof_sample:17,narenas:4,percpu_arena:percpu', 'glibc.malloc.perturb=0');
	my $users = "GLIBC_TUNABLES=glibc.malloc.perturb=0\nLD_PRELOAD=libm.so.6\n"
	  . "MALLOC_CONF=lg_prof_sample:17,narenas:4,percpu_arena:percpu";

	$node->start;
	check_programs('jemalloc, user set', $users);
	is( $node->safe_psql('postgres', q(
		SELECT o->>'lg_prof_sample', o->>'narenas', o->>'percpu_arena', o->>'oversize_threshold'
		FROM (SELECT jemctx_stats_json()->'jemalloc'->'opt' AS o) s)),
		'17|1|disabled|0', 'the MALLOC_CONF of the user is extended, and corrected where it must be');
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

# A server that has jemalloc already keeps that, and gets what it lacks.
{
	local $ENV{LD_PRELOAD} = 'libjemalloc.so.2';
	local $ENV{MALLOC_CONF} = 'percpu_arena:percpu';

	$node->append_conf('postgresql.conf', "jemctx.process_malloc = jemalloc\n");
	$node->start;
	is(info($node, 'origin'), 're-executed', 'jemalloc of the user: re-executed');
	check_programs('jemalloc of the user', "LD_PRELOAD=libjemalloc.so.2\nMALLOC_CONF=percpu_arena:percpu");
	committed_is_exact($node, 'jemalloc of the user');
	makes_room($node, 'jemalloc of the user');
	my $purged = $node->safe_psql('postgres', big_sorts() . 'SELECT jemctx_purge()');
	cmp_ok((split /\n/, $purged)[-1], '>', 20e6, 'jemalloc of the user: a purge returns memory');
	$node->stop;
}

# An arena for large allocations is the user's choice.
{
	local $ENV{MALLOC_CONF} = 'oversize_threshold:8388608';

	$node->start;
	is( $node->safe_psql('postgres', big_sort() .
			# which jemalloc 5.3.0 shows as one of its own
			q(SELECT count(*) FILTER (WHERE committed = active + dirty) = (SELECT count(*) FROM jemctx_info
				WHERE name = 'jemalloc_version' AND value LIKE '5.3.0-%') FROM jemctx_arenas WHERE name = 'huge')),
		"26000\nt", 'huge arena: it is counted');
	makes_room($node, 'huge arena');
	$node->stop;
}

# A path that the dynamic linker would take for a list.
{
	my $directory = PostgreSQL::Test::Utils::tempdir() . '/with space';
	mkdir $directory or die $!;
	copy($module, "$directory/jemctx.so") or die $!;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '\"$directory/jemctx.so\"'\n");
	$node->start;
	my ($pid) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
	like(slurp_file("/proc/$pid/maps"), qr/jemalloc/, 'path with a space: re-executed');
	unlike(join(' ', map { readlink } glob "/proc/$pid/fd/*"), qr/jemctx\.so/, 'path with a space: the file is closed');
	check_programs('path with a space', '');
	makes_room($node, 'path with a space');
	$node->stop;
}

done_testing();
