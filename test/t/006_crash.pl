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
$node->wait_for_log(qr/(?:server process|client backend) \(PID $pid\) was terminated by signal 9/, $offset);
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

# Between the end of all processes and the next start the postmaster has no shared memory, and may
# need memory nevertheless: here, of a library that looks after its own when shared memory goes.
my $directory = PostgreSQL::Test::Utils::tempdir();
append_to_file("$directory/growing.c", <<'SOURCE');
#include "postgres.h"

#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static void
grow(int code, Datum arg)
{
	void	   *volatile memory;

	for (int i = 0; getpid() == PostmasterPid && i < 64; i++)
		memory = malloc(1024 * 1024);
	elog(LOG, "the postmaster has grown");
}

/* Registered first, so called last. */
void
_PG_init(void)
{
	on_shmem_exit(grow, 0);
}
SOURCE
chomp(my $include = `pg_config --includedir-server`);
system_or_bail('cc', '-shared', '-fPIC', '-O1', "-I$include", '-o', "$directory/growing.so", "$directory/growing.c");
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = '$directory/growing, jemctx'\njemctx.server_memory_limit = 1GB\n");
$node->start;
$postmaster = postmaster_pid($node);
$offset = -s $node->logfile;
$session = session($node);
kill 'KILL', pid_of($session);
wait_for_recovery($node, $offset);
close_session($session);
like(slurp_file($node->logfile, $offset), qr/the postmaster has grown/,
	'the postmaster needs memory without shared memory');
is(postmaster_pid($node), $postmaster, 'and gets it');
committed_is_exact($node, 'after that');
$node->stop;

done_testing();
