# The keeper stops when the postmaster stops the server, and not before,
# whoever else tells it to.  pg_regress cannot stop its server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

# The server ends by itself.  One that does not is killed, for the tests that follow.
sub ends
{
	my ($node, $postmaster, $what) = @_;
	my $ended = poll(sub { !kill(0, $postmaster) }, 60);

	ok($ended, $what);
	kill 'QUIT', $postmaster if !$ended;
	poll(sub { !kill(0, $postmaster) });
	$node->_update_pid(0);
	return;
}

sub stop_without_waiting
{
	my ($node, $mode) = @_;

	command_ok([ 'pg_ctl', '-D', $node->data_dir, '-m', $mode, '--no-wait', 'stop' ], "a $mode shutdown begins");
	return postmaster_pid($node);
}

my $node = namespace_node('main', "wal_level = replica\nmax_wal_senders = 2\n");

# How often a process has gone to sleep.
sub sleeps
{
	my ($pid) = @_;

	return slurp_file("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m ? $1 : die "no process $pid";
}

# Somebody tells it to stop while the server runs: it looks what the postmaster does, and sleeps as before.
{
	my $keeper = keeper_pid($node);
	my $before = sleeps($keeper);

	kill 'TERM', $keeper;
	ok(poll(sub { sleeps($keeper) > $before }), 'somebody wakes the keeper');
	ok(poll(sub { my $slept = sleeps($keeper); sleep 2; sleeps($keeper) <= $slept + 1 }, 60),
		'when it has looked it sleeps as before');
	is(find_keeper($node), $keeper, 'and is there');
}

# Somebody's request to end is pending when the postmaster's comes: the kernel makes one of two.
for my $mode (qw(fast smart))
{
	my $offset = -s $node->logfile;
	my $keeper = keeper_pid($node);

	kill 'STOP', $keeper;
	poll(sub { slurp_file("/proc/$keeper/stat") =~ /^.*\) T/ }) or die 'the keeper goes on';
	kill 'TERM', $keeper;
	my $postmaster = stop_without_waiting($node, $mode);
	$node->wait_for_log(qr/background worker "logical replication launcher" .* exited with exit code 1/, $offset);
	kill 'CONT', $keeper;
	ends($node, $postmaster, "a $mode shutdown ends although somebody else has told the keeper to stop before");
	$node->start;
	unlike(slurp_file($node->logfile, $offset), qr/not properly shut down|interrupted/, 'in an orderly way');
}

# Between a smart shutdown's begin and its end sessions work on.
sql($node, "SELECT jemctx_namespace_create('a')");
my $session = open_session($node);
my $keeper = keeper_pid($node);
my $postmaster = stop_without_waiting($node, 'smart');
kill 'TERM', $keeper;
is(ask($session, "SELECT jemctx_test_ns_fill('a', 1000, 10000000) FROM pg_sleep(0.3)"),
	'10000000', 'a smart shutdown has not stopped the keeper');
is(ask($session, "SELECT jemctx_namespace_reset('a')"), '', 'it answers');
is(find_keeper($node), $keeper, 'it is there');
close_session($session);
ends($node, $postmaster, 'the last session has gone: the server stops');

# A server that stops at a recovery target tells nobody that it does.
SKIP:
{
	skip 'pg_basebackup is of another major', 4 if qx(pg_basebackup --version) !~ / ${\ server_major() }/;
	$node->append_conf('pg_hba.conf', 'local replication all trust');
	$node->start;
	$node->backup('copy');
	my $copy = PostgreSQL::Test::Cluster->new('copy');
	$copy->init_from_backup($node, 'copy', has_restoring => 0);
	$copy->append_conf('postgresql.conf',
		"recovery_target = 'immediate'\nrecovery_target_action = 'shutdown'\nrestore_command = 'false'\n");
	$copy->set_recovery_mode;
	append_to_file($copy->logfile, '');
	command_ok([ 'pg_ctl', '-D', $copy->data_dir, '-l', $copy->logfile, '--no-wait', 'start' ], 'a server recovers');
	ok(poll(sub { slurp_file($copy->logfile) =~ /shutdown at recovery target(?s:.*)system is shut down/ }, 60),
		'and stops at its target');
	unlike(slurp_file($_->logfile), qr/terminated by signal|PANIC/, 'no process has died: ' . $_->name)
	  for $node, $copy;
	$node->stop;
	kill 'QUIT', postmaster_pid($copy) if -e $copy->data_dir . '/postmaster.pid';
}

done_testing();
