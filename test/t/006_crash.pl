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
my ($postmaster) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
my ($out, $err) = ('', '');
my $session = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \"SELECT pg_backend_pid();\nSELECT pg_sleep(600);\n", '>', \$out, '2>', \$err, IPC::Run::timeout(60));
$session->pump until $out =~ /^(\d+)\n/;
my $pid = $1;
my $offset = -s $node->logfile;
kill 'KILL', $pid;
$node->wait_for_log(qr/server process \(PID $pid\) was terminated by signal 9/, $offset);
pass('the backend is gone');
$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
pass('the server recovers');
eval { $session->finish };
$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not recover';
my ($after) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
is($after, $postmaster, 'the postmaster is the same');
is(info($node, 'malloc'), 'jemalloc', 'and runs on jemalloc');
committed_is_exact($node, 'after a crash of a backend');

$node->kill9;
# the dead postmaster's pid lives on until its parent has noticed
my $attempts = 100;
until ($node->start(fail_ok => 1))
{
	die 'does not start' if --$attempts == 0;
	$node->{_pid} = undef;
	select(undef, undef, undef, 0.1);
}
is(info($node, 'origin'), 're-executed', 'after a crash of the postmaster');
committed_is_exact($node, 'after a crash of the postmaster');
$node->stop;

done_testing();
