# What the code of others has needed while a session's statements used it is returned when the session
# is idle: LLVM's, libxml's, OpenSSL's and, where "make libraries" has installed PostGIS, that of GEOS.  At a
# limit it ends a statement or a session, with 53200.  test/libraries meets more limits, this looks at what
# the kernel says afterwards.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $conf = <<'CONF';
max_parallel_workers_per_gather = 0
jit = off
autovacuum = off
CONF
my $node = new_node('main', "$conf\njemctx.idle_purge_after = 200\n");
my $mb = 1024;

# Name, the extension that is needed, what a session begins with, the statement, which takes so many MB more
# than what is there before it; and how many kB may be left of it after some rounds.
my @cases = (
	[ 'libxml', undef, undef,
		"SELECT xml_is_well_formed('<r>' || repeat('<a b=\"c\">text</a>', 50000) || '</r>')", 15, 2 * $mb ],
	[ 'OpenSSL', 'pgcrypto', undef,
		"SELECT count(digest(g::text, 'sha512')), length(pgp_sym_decrypt(pgp_sym_encrypt(repeat('jemctx', 500000),
		'secret', 'compress-algo=1'), 'secret')) FROM generate_series(1, 2000) g GROUP BY 'a'::text", 8, 2 * $mb ],
	[ 'GEOS', 'postgis', undef,
		'SELECT round(ST_Area(ST_Union(ST_Buffer(ST_MakePoint(i % 100 * 0.1, i * 0.002), 0.05, 16)))::numeric, 4)
		FROM generate_series(1, 600) i', 5, 2 * $mb ],
	# LLVM keeps what it knows of types, some hundred kB more with each statement
	[   'LLVM', undef,
		'SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0',
		'SELECT ' . join(', ', map { "sum(g * $_ + 1)" } 1 .. 20) . ' FROM generate_series(1, 1000) g', 4, 8 * $mb ],
);

sub new_session
{
	my ($server, $begin) = @_;
	my $session = session($server);

	query($session, $begin) if defined $begin;
	return $session;
}

$node->start;
my $observer = session($node);
my $start_time = query($observer, 'SELECT pg_postmaster_start_time()');
my $has_jit = query($observer, 'SET jit = on; SELECT pg_jit_available()') eq 't';
my %available = map { $_ => 1 } split /\n/, query($observer, 'SELECT name FROM pg_available_extensions');

# Wait until the session has purged once more; what the kernel says then.
sub at_rest
{
	my ($session, $what, $before) = @_;

	ok(poll(sub { backend($observer, $session, 'purges') > $before }), "$what: the session purges");
	return anonymous_kb(pid_of($session));
}

sub committed
{
	my ($session, $column) = @_;

	return int(backend($observer, $session, $column) / 1024);
}

# How much the statement takes, in kB, and that it comes back.
sub returns
{
	my ($name, $begin, $sql, $least, $left) = @_;
	my $session = new_session($node, $begin);
	my $purges = 0;
	my ($first, $last);

	for my $round (1 .. 3)
	{
		query($session, $sql);
		$last = at_rest($session, "$name, round $round", $purges);
		$first //= $last;
		$purges = backend($observer, $session, 'purges');
	}
	my $taken = committed($session, 'committed_peak') - committed($session, 'committed');
	note "$name: takes $taken kB; $first kB left after the first round, $last after the last";
	cmp_ok($taken, '>', $least * $mb, "$name: takes memory");
	cmp_ok($last - $first, '<', $left, "$name: and returns it");
	close_session($session);
	return ($taken, $last);
}

# With half of that, and next to nothing beyond, it cannot be done; the next session can do it.
sub is_limited
{
	my ($name, $begin, $sql, $taken) = @_;
	my $session = new_session($node, $begin);

	pid_of($session);
	query($session, '\set VERBOSITY verbose');
	my $limit = committed($session, 'committed') + int($taken / 2);
	query($session, "SET jemctx.library_headroom = '1MB'; SET jemctx.backend_memory_limit = '${limit}kB'");
	like(query($session, $sql), qr/(ERROR|FATAL):  53200: /, "$name: a limit ends it");
	close_session($session);
	$session = new_session($node, $begin);
	unlike(query($session, $sql), qr/ERROR|FATAL/, "$name: another session goes on");
	close_session($session);
	return;
}

my %rest;
for my $case (@cases)
{
	my ($name, $extension, $begin, $sql, $least, $left) = @$case;

	SKIP:
	{
		skip "$name: there is no extension $extension", 1 if defined $extension && !$available{$extension};
		skip "$name: the server has no JIT", 1 if $name eq 'LLVM' && !$has_jit;
		query($observer, "CREATE EXTENSION $extension") if defined $extension;
		(my $taken, $rest{$name}) = returns($name, $begin, $sql, $least, $left);
		is_limited($name, $begin, $sql, $taken);
	}
}
is(query($observer, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
nobody_died($node);
$node->stop;

# LLVM keeps as much, and more, on a server without jemctx.
if ($has_jit)
{
	my $stock = PostgreSQL::Test::Cluster->new('stock');
	my (undef, undef, $begin, $sql) = @{ $cases[-1] };
	$stock->init;
	$stock->append_conf('postgresql.conf', $conf);
	$stock->start;
	my $session = new_session($stock, $begin);
	query($session, $sql) for 1 .. 3;
	cmp_ok($rest{LLVM}, '<', anonymous_kb(pid_of($session)) + $mb, 'LLVM: no more is left than on a stock server');
	close_session($session);
	$stock->stop;
}

done_testing();
