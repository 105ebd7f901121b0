# A library may fork a child of a backend's, as PL/Python's multiprocessing does.
# Another session has to look at both.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jemctx.idle_purge_after = -1\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');
my $observer = session($node);
my $session = session($node);
my $pid = pid_of($session);

query($session, 'SELECT jemctx_test_child(1000)') =~ /^(\d+)$/ or die;
kill 'KILL', $1;
my $before = backend($observer, $session, 'committed');
my $child = query($session, 'SELECT jemctx_test_child(100000000)');
like($child, qr/^\d+$/, 'a child with 100 MB');
cmp_ok(backend($observer, $session, 'committed'), '<', $before + 10e6, 'its memory is not its parent\'s');
cmp_ok(backend($observer, $session, 'committed_peak'), '<', $before + 10e6, 'nor has it been');
ok(kill(0, $child), 'while it has it');
kill 'KILL', $child;

# It gets what it asks for, whatever the limit: it cannot end in its parent's place, with its parent's client.
query($session, 'SET jemctx.library_headroom = 0; SELECT jemctx_purge()');
my $limit = 4096 + query($session, 'SELECT committed / 1024 FROM jemctx_backends WHERE pid = pg_backend_pid()');
query($session, "SET jemctx.backend_memory_limit = '${limit}kB'");
$child = query($session, 'SELECT jemctx_test_child(100000000)');
like($child, qr/^\d+$/, 'a child beyond its parent\'s limit');
kill 'KILL', $child if $child =~ /^\d+$/;
is(query($session, "SET jemctx.backend_memory_limit = 0; SHOW jemctx.backend_memory_limit"), '0', 'the parent goes on');
unlike(slurp_file($node->logfile), qr/PANIC|FATAL:  (?!the database system)/, 'and nothing has happened');

# What the parent does afterwards counts.
query($session, "SET work_mem = '64MB'; BEGIN; DECLARE c CURSOR FOR SELECT g, md5(g::text) m
	FROM generate_series(1, 200000) g ORDER BY m; MOVE 1 IN c");
cmp_ok(backend($observer, $session, 'committed'), '>', $before + 10e6, 'the parent\'s own memory counts');

$node->stop;
done_testing();
