# A replication connection has the limits of a session for SQL, and none for replication. It takes clients of
# both kinds.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', <<'CONF');
jit = off
max_parallel_workers_per_gather = 0
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
logical_decoding_work_mem = '256MB'
work_mem = '1GB'
jemctx.backend_memory_limit = '24MB'
CONF
$node->append_conf('pg_hba.conf', "local replication all trust\n");
$node->start;
$node->safe_psql('postgres', q(
	CREATE ROLE sender LOGIN REPLICATION;
	CREATE FUNCTION hungry() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM length(repeat('x', 200000000)); RETURN NULL; END $$;
	CREATE TABLE late (i int);
	GRANT INSERT, SELECT ON late TO sender;
	CREATE CONSTRAINT TRIGGER hungry AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION
	  hungry();
	CREATE TABLE decoded (i int, v text);
));

sub connect_as
{
	my ($role) = @_;
	my $session = session($node, connstr => $node->connstr('postgres') . " user=$role replication=database");

	query($session, '\set VERBOSITY verbose');
	return $session;
}

#
# SQL
#

my $holds = qr/DETAIL:  This process holds \d+ kB, asked for \d+ kB more, and may have 24576 kB/;
my $refusal = qr/ERROR:  53200: out of memory\n(?:LINE .*\n.*\n)?$holds/;
my $sender = connect_as('sender');

# In a message of its own kind each is at another place of PostgreSQL's.
for my $case (
	[ 'as it is read', 'SELECT ' . join(',', (1) x 1000000) ],
	[ 'as it is planned', "SELECT length(repeat('x', 100000000))" ],
	[ 'as it is executed',
		'SELECT count(*) FROM (SELECT md5(g::text) m FROM generate_series(1, 1000000) g ORDER BY m) s' ],
	[ 'at COMMIT', 'INSERT INTO late VALUES (1)' ])
{
	my ($what, $statement) = @$case;

	like(query($sender, $statement), $refusal, "SQL is refused $what");
	is(query($sender, 'SELECT count(*) FROM late'), '0', 'nothing was stored, and the connection goes on');
}
is(query($sender, 'SELECT refused >= 4 FROM jemctx_backends WHERE pid = pg_backend_pid()'), 't', 'it is counted');

#
# Replication
#

like(query($sender, 'CREATE_REPLICATION_SLOT slot LOGICAL test_decoding'), qr/^slot\|/, 'a slot is made');
$node->safe_psql('postgres', "INSERT INTO decoded SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 80000) g");
my $changes = PostgreSQL::Test::Utils::tempdir() . '/changes';
append_to_file($changes, '');
my $receiver = IPC::Run::start([ 'pg_recvlogical', '-d', $node->connstr('postgres') . ' user=sender',
	'-S', 'slot', '--start', '-f', $changes ]);
ok(poll(sub { `tail -n 1 $changes` =~ /^COMMIT/ }), 'one transaction with many changes is decoded');
is(scalar(() = slurp_file($changes) =~ /^table public.decoded: INSERT/mg), 80000, 'with all of them');
is( $node->safe_psql('postgres', q(
		SELECT committed_peak > 30000000, refused FROM jemctx_backends JOIN pg_stat_replication USING (pid)
		WHERE state <> 'startup')),
	't|0', 'which took more than the limit');
$receiver->kill_kill;
ok(poll(sub { query($sender, 'DROP_REPLICATION_SLOT slot') !~ /is active/ }), 'the slot is dropped');

#
# On a full server
#

$node->safe_psql('postgres', 'ALTER SYSTEM SET jemctx.server_memory_limit = 4000');
$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
ok(poll(sub { query($sender, 'SHOW jemctx.server_memory_limit') eq '4000kB' }), 'the server is full');
like(query($sender, 'SELECT count(*) FROM pg_stat_activity, pg_locks, pg_class, pg_attribute'),
	qr/53200: out of memory\n(?:LINE .*\n.*\n)?DETAIL:  The server holds/, 'SQL is refused');
my $superuser = connect_as($node->safe_psql('postgres', 'SELECT current_user'));
like(query($superuser, 'SELECT count(*) > 3 FROM pg_stat_activity'), qr/^t$/, 'a superuser can look');
like(query($sender, 'IDENTIFY_SYSTEM'), qr/\|postgres$/, 'commands are carried out');
like(query($sender, 'CREATE_REPLICATION_SLOT slot TEMPORARY LOGICAL test_decoding'), qr/^slot\|/, 'a slot is made');
command_ok(
	[ 'pg_basebackup', '--no-sync', '-c', 'fast', '-h', $node->host, '-p', $node->port, '-U', 'sender',
		'-D', PostgreSQL::Test::Utils::tempdir() . '/copy' ],
	'a backup is made');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET jemctx.server_memory_limit');
$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
ok(poll(sub { query($sender, 'SHOW jemctx.server_memory_limit') eq '-1' }), 'there is room again');
is(query($sender, 'SELECT count(*) FROM late'), '0', 'SQL works');
nobody_died($node);
close_session($_) for $sender, $superuser;
$node->stop;

done_testing();
