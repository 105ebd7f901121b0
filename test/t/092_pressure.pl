# What a server does when memory is short, as the kernel's files say: those of the machine and of control
# groups, of both versions. The files are elsewhere, in a checking build, so that a test can write them.
use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

use_variant('checking');

my $MB = 1048576;
my $kernel = PostgreSQL::Test::Utils::tempdir();

# The kernel's files are written anew as a whole.
sub kernel_says
{
	my ($path, $text) = @_;

	make_path(dirname("$kernel$path"));
	open(my $handle, '>', "$kernel$path.new") or die $!;
	print $handle $text;
	close $handle;
	rename("$kernel$path.new", "$kernel$path") or die $!;
	return;
}

sub machine_has
{
	my ($available, $swap) = @_;

	kernel_says('/proc/meminfo', sprintf("MemTotal:  %d kB\nMemFree:  1 kB\nMemAvailable:  %d kB\nSwapFree:  %d kB\n",
			1024 * 1024, $available * 1024, ($swap // 0) * 1024));
	return;
}

machine_has(900);
$ENV{JEMCTX_KERNEL_FILES} = $kernel;
my $node = namespace_node('main', <<'CONF');
jit = off
jemctx.idle_purge_after = -1
jemctx.idle_cache_limit = -1
jemctx.server_memory_limit = 0
jemctx.reserved_memory = 32MB
max_connections = 20
CONF
my $observer = session($node);
my $server = sub { query($observer, "SELECT $_[0] FROM jemctx_server") };
my $start_time = query($observer, 'SELECT pg_postmaster_start_time()');

sub becomes
{
	my ($pressure, $what) = @_;

	return ok(poll(sub { $server->('pressure') eq $pressure }), $what) || diag $server->('row(jemctx_server)');
}

# How often the log has a line.
sub logged
{
	my ($line) = @_;

	return scalar(() = slurp_file($node->logfile) =~ /LOG:  \Q$line\E$/mg);
}

#
# What the machine has
#

is($server->('machine_total, machine_available, available, cgroup_limit'),
	join('|', 1024 * $MB, 900 * $MB, 900 * $MB, ''), 'a machine');
is($server->('pressure, memory_limit, limit_source, reserved'), 'none|||', 'without a limit');

# 10 % and the reserve, 3 % and the reserve.
machine_has(130);
becomes('some', 'little is left');
machine_has(50);
becomes('high', 'very little is left');
is($server->('pressure_begun, pressure_high'), '1|1', 'both are counted');
machine_has(900);
becomes('none', 'there is plenty again');
ok(poll(sub { logged('memory is not short any more') == 1 }), 'the log says so');
is(logged('memory is getting short') + logged('memory is very short'), 2, 'and when it began, once');

# Tasks that wait for memory are some other group's, unless the machine has little.
kernel_says('/proc/pressure/memory', "some avg10=80.00 avg60=0\nfull avg10=50.00 avg60=0\n");
is($server->('pressure'), 'none', 'others wait for memory');
machine_has(200);
becomes('high', 'all wait for memory');
unlink "$kernel/proc/pressure/memory";
machine_has(900);
becomes('none', 'and do not any more');

#
# What control groups have
#

my %group;

# Set what the group has, in bytes, and have it written.
sub group
{
	my (%change) = @_;

	%group = (%group, %change);
	kernel_says($_, $group{$_}) for grep { defined $group{$_} } keys %group;
	unlink "$kernel$_" for grep { !defined $group{$_} } keys %group;
	return;
}

sub version2
{
	my (%files) = @_;

	return map { ("/sys/fs/cgroup/a/b/memory.$_" => $files{$_}) } keys %files;
}

group(
	'/proc/self/cgroup' => "0::/a/b\n",
	version2(
		max => 512 * $MB . "\n",
		current => 500 * $MB . "\n",
		stat => 'anon ' . 90 * $MB . "\ninactive_file " . 300 * $MB . "\nactive_file " . 96 * $MB
		  . "\nslab_reclaimable " . 4 * $MB . "\n"));
is($server->('cgroup_limit, available'), join('|', 512 * $MB, (512 - 500 + 400 - 8) * $MB),
	'version 2: what files have is available, but for a part');
is($server->('pressure'), 'none', 'version 2: there is plenty');
group('/sys/fs/cgroup/a/memory.max' => 450 * $MB . "\n", '/sys/fs/cgroup/a/memory.current' => 100 * $MB . "\n");
is($server->('cgroup_limit, available'), join('|', 450 * $MB, 350 * $MB), 'version 2: the group above has less');
group('/sys/fs/cgroup/a/memory.max' => "max\n");
is($server->('cgroup_limit'), 512 * $MB, 'version 2: it has no limit any more');

group(version2(high => 400 * $MB . "\n"));
becomes('some', 'version 2: memory.high is passed');
group(version2(high => "max\n"));
becomes('none', 'version 2: it is not');
group(version2(pressure => "some avg10=12.50 avg60=0.00\nfull avg10=1.00 avg60=0.00\n"));
becomes('some', 'version 2: memory.pressure says that tasks wait');
group(version2(pressure => "some avg10=82.50 avg60=0.00\nfull avg10=41.00 avg60=0.00\n"));
becomes('high', 'version 2: that all do');
group(version2(pressure => "some avg10=0.00 avg60=0.00\nfull avg10=0.00 avg60=0.00\n"));
becomes('none', 'version 2: that none does');
my $high = $server->('pressure_high');
group(version2(events => "low 0\nhigh 7\nmax 120\noom 3\noom_kill 0\n"));
becomes('high', 'version 2: memory.events says that there was nothing left');
becomes('none', 'version 2: and has not said it since');
is($server->("pressure_high - $high"), '1', 'version 2: it is counted once');

group(version2(current => 500 * $MB . "\n", stat => 'anon ' . 490 * $MB . "\ninactive_file 0\n"));
becomes('high', 'version 2: programs have all of it');
group((map { $_ => undef } keys %group), '/proc/self/cgroup' => "4:memory:/x\n0::/\n",
	'/sys/fs/cgroup/memory/x/memory.limit_in_bytes' => 600 * $MB . "\n",
	'/sys/fs/cgroup/memory/x/memory.usage_in_bytes' => 590 * $MB . "\n",
	'/sys/fs/cgroup/memory/x/memory.stat' => "cache 0\ntotal_inactive_file " . 256 * $MB . "\ntotal_active_file 0\n",
	'/sys/fs/cgroup/memory/memory.limit_in_bytes' => "9223372036854771712\n");
is($server->('cgroup_limit, available'), join('|', 600 * $MB, 10 * $MB + 256 * $MB - int(600 * $MB / 64)),
	'version 1: what files have is available, but for a part');
becomes('none', 'version 1: there is plenty');
group('/sys/fs/cgroup/memory/x/memory.stat' => "cache 0\ntotal_inactive_file 0\n");
becomes('high', 'version 1: programs have all of it');
group(map { $_ => undef } keys %group);
becomes('none', 'no group');

#
# What is done
#

sub figures
{
	my ($session, $columns) = @_;

	return query($observer, "SELECT $columns FROM jemctx_backends WHERE pid = " . pid_of($session));
}

my $idle = session($node);
my $pid = pid_of($idle);
query($observer, "ALTER SYSTEM SET jemctx.kept_memory_limit = '1GB'");
query($observer, 'SELECT pg_reload_conf()');
ok(poll(sub { query($idle, 'SHOW jemctx.kept_memory_limit') eq '1GB' }), 'a session may keep what it needs');
query($idle, 'CREATE TABLE parts (a int PRIMARY KEY) PARTITION BY LIST (a)');
query($idle, 'DO $$BEGIN FOR i IN 1 .. 400 LOOP '
	  . "EXECUTE format('CREATE TABLE part%s PARTITION OF parts FOR VALUES IN (%s)', i, i); END LOOP; END\$\$");
query($idle, 'SELECT count(*) FROM parts WHERE a < 1000000');
query($idle, big_sorts());
query($idle, $_) for "SET jemctx.idle_cache_limit = '1MB'", "SET jemctx.idle_cache_after = '1h'";
my ($purges, $before) = split /\|/, figures($idle, 'purges, committed');
machine_has(130);
becomes('some', 'little is left once more');
ok(poll(sub { figures($idle, "purges > $purges AND committed < $before") eq 't' }),
	'an idle session returns what it does not use');
my $cache = figures($idle, 'cache');
cmp_ok($cache, '>', 2 * $MB, 'it keeps its caches, for which it has more time');
ok(poll(sub { $server->('pressure_purges > 0') eq 't' }), 'which is counted');
$purges = figures($observer, 'purges');
query($observer, big_sort());
ok(poll(sub { figures($observer, "purges > $purges") eq 't' }), 'so does a busy one, after each statement');
query($observer, 'BEGIN; DECLARE c CURSOR FOR SELECT g, repeat($$x$$, 1000) t FROM generate_series(1, 40000) g '
	  . 'ORDER BY t; MOVE 1 IN c');
is((huge_page_mb($observer))[0], 0, 'large pieces of memory have no huge pages');
query($observer, 'COMMIT');
is($server->('pressure_sheds, pressure_trims'), '0|0', 'and no more');
query($idle, 'DO $body$ DECLARE t text; x text := repeat($$x$$, 1000); '
	  . 'BEGIN FOR i IN 1 .. 40 LOOP t := repeat(x, (i * 7919) % 30000 + 1000); END LOOP; END $body$');
cmp_ok(figures($idle, 'committed_peak'), '<', 100 * $MB, 'a statement does not keep what it has freed');

query($idle, 'SET jemctx.idle_cache_limit = -1');
machine_has(50);
becomes('high', 'very little is left once more');
ok(poll(sub { $server->('pressure_sheds > 0') eq 't' }), 'an idle session sheds its caches');
ok(poll(sub { figures($idle, "cache < $cache / 2") eq 't' }), 'which are small then');
ok( poll(
		sub {
			machine_has(200);
			sql($node, "SELECT jemctx_test_ns_fill('a', 1000, 3000000)");
			machine_has(50);
			sql($node, "SELECT jemctx_namespace_reset('a')");
			$server->('pressure_trims > 0') eq 't';
		}),
	'namespaces have fewer pages ready');
machine_has(900);
becomes('none', 'all is well');

#
# When there is no limit but what there is
#

query($observer, 'ALTER SYSTEM SET jemctx.server_memory_limit = -1');
query($observer, 'CREATE ROLE ordinary LOGIN');
query($observer, 'SELECT pg_reload_conf()');
my $ordinary = session($node, connstr => $node->connstr('postgres') . ' user=ordinary');
ok(poll(sub { query($ordinary, 'SHOW jemctx.server_memory_limit') eq '-1' }), 'the limit is automatic');
query($ordinary, '\set VERBOSITY verbose');
my $grow = "SELECT length(repeat('x', 50000000))";

# Have a session use so much when it has kept nothing, and the view has looked at the kernel's files for all: a look is
# believed for a while.
sub uses
{
	my ($session, $sql) = @_;

	query($session, 'SELECT jemctx_purge()');
	$server->('available');
	return query($session, $sql);
}
is($server->('memory_limit, limit_source, reserved'), join('|', 1024 * $MB, 'machine', 32 * $MB), 'it is the machine');
is(uses($ordinary, $grow), '50000000', 'there is enough');
machine_has(70);
ok(poll(sub { figures($ordinary, 'committed < 20000000') eq 't' }), 'then there is not, and nothing is kept');
like(
	uses($ordinary, $grow),
	qr/ERROR:  53200.*\n(?:LINE.*\n.*\n)?DETAIL:  The server holds .*\nHINT:  The machine, or a control group/,
	'there is not enough beyond the reserve');
is($server->('refused > 0'), 't', 'which is counted');
is(uses($observer, 'SELECT length(repeat($$x$$, 20000000))'), '20000000', 'a superuser has the reserve');
machine_has(70, 300);
is(uses($ordinary, $grow), '50000000', 'there is swap');
machine_has(900);
group(
	'/proc/self/cgroup' => "0::/a/b\n",
	version2(max => 300 * $MB . "\n", current => 200 * $MB . "\n", stat => "anon 1\ninactive_file 0\n"));
is($server->('memory_limit, limit_source'), join('|', 300 * $MB, 'control group'), 'or it is a control group');
like(uses($ordinary, "SELECT length(repeat('x', 90000000))"), qr/53200/, 'which has not enough');
group(version2(max => 500 * $MB . "\n"));
is(uses($ordinary, "SELECT length(repeat('x', 90000000))"), '90000000', 'until it may have more');
group(version2(current => 480 * $MB . "\n", 'swap.max' => 200 * $MB . "\n", 'swap.current' => "0\n"));
like(uses($ordinary, $grow), qr/53200/, 'a group may use swap, but there is none');
machine_has(900, 300);
is(uses($ordinary, $grow), '50000000', 'now there is');
close_session($ordinary);
group(map { $_ => undef } keys %group);
unlink "$kernel/proc/meminfo";
is(uses($observer, $grow), '50000000', 'a kernel that does not say how much there is');
is($server->('memory_limit, limit_source, reserved, available'), '|||', 'has no limit');
becomes('none', 'and no pressure');

is(query($observer, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
nobody_died($node);
$node->stop;

done_testing();
