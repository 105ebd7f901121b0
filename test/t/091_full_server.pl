# A server that sessions idle in transaction have filled to the last kB: superusers, and members of pg_monitor
# and pg_signal_backend, log in, look, and mend it. It takes many sessions, and idle ones.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $MB = 1048576;
my $node = new_node('main', <<'CONF');
jit = off
max_connections = 40
work_mem = '4GB'
jemctx.server_memory_limit = '160MB'
jemctx.reserved_memory = '32MB'
jemctx.idle_purge_after = -1
CONF
$node->start;
$node->safe_psql('postgres', "CREATE ROLE $_ LOGIN") for qw(ordinary monitor signaller);
$node->safe_psql('postgres', 'GRANT pg_monitor TO monitor; GRANT pg_signal_backend TO signaller');
my $admin = $node->safe_psql('postgres', 'SELECT current_user');
my $start_time = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

sub session_of
{
	my ($user) = @_;
	my $session = session($node, connstr => $node->connstr('postgres') . " user=$user");

	query($session, '\set VERBOSITY verbose');
	return $session;
}

my $refusal = qr/ERROR:  53200: out of memory\n(?:LINE.*\n.*\n)?DETAIL:  The server holds \d+ kB, .*may have 131072 kB/;

# Keep as much as there is, in smaller and smaller pieces, and be idle in the transaction; what has failed is
# undone.
sub fill
{
	my ($session) = @_;
	my ($refused, $cursors) = (0, 0);

	query($session, 'BEGIN');
	for my $piece (200000, (20000) x 3, (2000) x 3, 200)
	{
		my $cursor = 'c' . $cursors++;

		query($session, 'SAVEPOINT s');
		my $answer = query($session,
			"DECLARE $cursor CURSOR FOR SELECT g, repeat('x', $piece) t FROM generate_series(1, 200) g ORDER BY g;"
			  . "MOVE 1 IN $cursor");
		next if $answer eq '';
		$refused++ if $answer =~ $refusal;
		query($session, 'ROLLBACK TO s');
	}
	return $refused;
}

my @ordinary = map { session_of('ordinary') } 1 .. 8;
my $refused = 0;
$refused += fill($_) for @ordinary;
cmp_ok($refused, '>', 8, 'the server is full');
like(query($ordinary[0], "SELECT count(*) FROM pg_class, pg_attribute WHERE relname = repeat('x', 10000000)"),
	$refusal, 'for those who have filled it');

# Each in a new session, and each by what it is for.
my $largest = 'SELECT pid FROM jemctx_backends b JOIN pg_stat_activity a USING (pid)'
  . " WHERE a.usename = 'ordinary' AND a.state LIKE 'idle in transaction%' ORDER BY committed DESC LIMIT 1";
my @looks = map { "SELECT count(*) > 0 FROM $_" } qw(pg_stat_activity pg_settings jemctx_info jemctx_arenas jemctx_bins
  jemctx_backends jemctx_server);
push(@looks, map { "SELECT count(*) = 0 FROM $_ WHERE name IS NULL" } qw(jemctx_contexts jemctx_namespaces));
push(@looks, 'SELECT count(*) >= 8 FROM pg_stat_activity', 'SELECT count(*) > 0 FROM jemctx_chunks');
for my $user ($admin, 'monitor')
{
	my $session = session_of($user);
	my $name = $user eq $admin ? 'a superuser' : 'a member of pg_monitor';
	my @wrong = grep { $_->[1] ne 't' } map { [ $_, query($session, $_) ] } @looks;

	is(join("\n", map { @$_ } @wrong), '', "$name sees all there is");
	like(query($session, $largest), qr/^\d+$/, "$name sees who has most");
	is(query($session, 'SELECT reserved, limit_source FROM jemctx_server'),
		32 * $MB . '|setting', "$name sees the limit");
	close_session($session);
}
my $super = session_of($admin);
my $signaller = session_of('signaller');
my $victim = query($super, $largest);
is(query($signaller, "SELECT pg_cancel_backend($victim)"), 't', 'a member of pg_signal_backend cancels');
is(query($signaller, "SELECT pg_terminate_backend($victim)"), 't', 'and ends sessions');
ok(poll(sub { query($super, "SELECT count(*) FROM pg_stat_activity WHERE pid = $victim") eq '0' }), 'which is gone');
$victim = query($super, $largest);
is(query($super, "SELECT pg_terminate_backend($victim)"), 't', 'so does a superuser');

# A reload reaches sessions that say nothing, also in a transaction.
my $silent = session_of('ordinary');
my $in_transaction = session_of('ordinary');
query($in_transaction, 'BEGIN');
pid_of($_) for $silent, $in_transaction;
query($super, 'ALTER SYSTEM SET jemctx.backend_memory_limit = 200000');
query($super, "ALTER SYSTEM SET work_mem = '5MB'");
query($super, 'SELECT pg_reload_conf()');
for my $session ($silent, $in_transaction)
{
	ok(poll(sub { backend($super, $session, 'memory_limit') eq 200000 * 1024 }), 'a reload reaches an idle session');
}
is(query($silent, 'SHOW work_mem'), '5MB', 'with all settings');

# And the limit is undone.
query($super, "ALTER SYSTEM SET jemctx.server_memory_limit = '1GB'");
query($super, 'SELECT pg_reload_conf()');
ok(poll(sub { query($silent, "SELECT length(repeat('x', 90000000))") eq '90000000' }), 'the limit is raised');
is(query($super, 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
nobody_died($node);
$node->stop;

done_testing();
