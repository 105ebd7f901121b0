# Processes that die must not take jemalloc with them.  pg_regress cannot
# kill its server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "restart_after_crash = on\n");

$node->start;
my $postmaster = postmaster_pid($node);
my $session = session($node);
my $pid = pid_of($session);
my $offset = -s $node->logfile;
send_query($session, 'SELECT pg_sleep(600)');
kill 'KILL', $pid;
$node->wait_for_log(qr/server process \(PID $pid\) was terminated by signal 9/, $offset);
pass('the backend is gone');
wait_for_recovery($node, $offset);
pass('the server recovers');
close_session($session);
is(postmaster_pid($node), $postmaster, 'the postmaster is the same');
is(info($node, 'malloc'), 'jemalloc', 'and runs on jemalloc');
committed_is_exact($node, 'after a crash of a backend');

$node->kill9;
# its pid lives on until its parent has noticed, and its children until they have
poll(sub { $node->{_pid} = undef; $node->start(fail_ok => 1) }) or die 'does not start';
is(info($node, 'origin'), 're-executed', 'after a crash of the postmaster');
committed_is_exact($node, 'after a crash of the postmaster');
$node->stop;

done_testing();
