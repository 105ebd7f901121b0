# Whatever limit is set, a superuser can connect, look, end other sessions and undo it; and a limit that
# nobody could live with is refused. It takes sessions that begin when the limit is in force.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jit = off\nmax_connections = 40\n");
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE ordinary LOGIN');
my $observer = session($node);
my $start_time = query($observer, 'SELECT pg_postmaster_start_time()');
my $refusal = qr/ERROR:  out of memory\n(?:LINE.*\n.*\n)?DETAIL:  (?:This process|The server) holds/;

# What a superuser does who finds a server at its limit, in a new session; returns what fails.
sub rescue
{
	my ($name, $victim) = @_;
	my $out = session_output($node, <<"SQL");
SELECT 'backends', count(*) > 3 FROM jemctx_backends;
SELECT 'server', committed > 0 FROM jemctx_server;
SELECT 'activity', count(*) > 3 FROM pg_stat_activity;
SELECT 'largest', committed > 0 FROM jemctx_backends JOIN pg_stat_activity USING (pid) ORDER BY committed DESC LIMIT 1;
SELECT 'terminate', pg_terminate_backend($victim);
ALTER SYSTEM RESET jemctx.${name}_memory_limit;
SELECT 'reload', pg_reload_conf();
SQL

	return $out eq "backends|t\nserver|t\nactivity|t\nlargest|t\nterminate|t\nreload|t\n" ? '' : $out;
}

# In what state the others are: they hold memory, and are in transactions.
sub hungry
{
	my $session = session($node, connstr => $node->connstr('postgres') . ' user=ordinary');

	query($session,
		'BEGIN; DECLARE c CURSOR FOR SELECT g, md5(g::text) m FROM generate_series(1, 20000) g ORDER BY m; MOVE 1 IN c'
	);
	return $session;
}

# Every value, by ALTER SYSTEM: it is refused, or can be undone.
my %values = (
	backend => [ 1, 1000, 2000, map({ 3072 + 256 * $_ } 0 .. 9), 8192 ],
	server => [ 1, 1000, map({ 3000 + 1000 * $_ } 0 .. 9) ]);

for my $name (sort keys %values)
{
	my ($refused, @wrong) = (0);

	for my $value (@{ $values{$name} })
	{
		my $victim = hungry();
		my $pid = query($observer, "SELECT max(pid) FROM pg_stat_activity WHERE usename = 'ordinary'");
		my $answer = query($observer, "ALTER SYSTEM SET jemctx.${name}_memory_limit = $value");

		if ($answer =~ /^ERROR:  invalid value.*\nDETAIL:  No session could.*less than (\d+) kB\.\nHINT:  Set at least/
			&& $value < $1)
		{
			$refused++;
		}
		else
		{
			query($observer, 'SELECT pg_reload_conf()');
			my $seen = poll(
				sub {
					session_output($node, "SELECT setting FROM pg_settings WHERE name = 'jemctx.${name}_memory_limit'")
					  eq "$value\n";
				});
			my $wrong = rescue($name, $pid);

			push(@wrong, "$value: " . ($seen ? '' : 'not seen; ') . "$answer $wrong")
			  if !$seen || "$answer$wrong" ne '';
			ok(poll(sub { session_output($node, "SHOW jemctx.${name}_memory_limit") eq "0\n" }), "$name: undone")
			  if @wrong;
		}
		close_session($victim);
	}
	is( join("\n", @wrong),
		'',
		"limit of a $name: a superuser can undo " . (@{ $values{$name} } - $refused) . " values, $refused are refused");
	is($refused > 0, $name eq 'backend', "limit of a $name: which are refused");
}

# That is for superusers only, and not for what they do beside.
query($observer, 'ALTER SYSTEM SET jemctx.server_memory_limit = 4000');
query($observer, 'SELECT pg_reload_conf()');
my $ordinary = session($node, connstr => $node->connstr('postgres') . ' user=ordinary');
ok(poll(sub { query($ordinary, 'SHOW jemctx.server_memory_limit') =~ /^4000kB$|$refusal/ }), 'a full server');
like(query($ordinary, 'SELECT count(*) FROM pg_stat_activity, pg_locks, pg_class, pg_attribute LIMIT 1'),
	$refusal, 'others are refused');
like(session_output($node, "SELECT length(repeat('x', 20000000))"), $refusal, 'a superuser is refused what is large');
query($observer, 'ALTER SYSTEM RESET jemctx.server_memory_limit');
query($observer, 'SELECT pg_reload_conf()');

# What cannot be refused when it is set: nothing is out of reach.
$node->append_conf('postgresql.conf', 'jemctx.backend_memory_limit = 1000');
$node->reload;
ok(poll(sub { slurp_file($node->logfile) =~ /invalid value for parameter "jemctx.backend_memory_limit": 1000/ }),
	'in the configuration file: the log says so');
is(session_output($node, 'SHOW jemctx.backend_memory_limit'), "0\n", 'in the configuration file: not taken');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $start_time, 'the server has not restarted');
$node->restart;
is(session_output($node, 'SHOW jemctx.backend_memory_limit'), "0\n", 'at the start: not taken');
like(
	session_output($node, 'ALTER ROLE ordinary SET jemctx.backend_memory_limit = 1000'),
	qr/ERROR:  invalid value/,
	'for a role: refused');
$node->stop;

done_testing();
