# A heap profile goes through a file, of which nothing may be left, whatever
# happens.  pg_regress has a server without profiles, and a disk that is not full.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jemctx.profile = on\nlogging_collector = on\n");
my $data = $node->data_dir;

# The files of the data directory that have to do with profiles or are temporary.
sub leftovers
{
	return join ' ', grep { -f } glob("$data/pg_stat_tmp/* $data/base/pgsql_tmp/* $data/*.heap $data/base/*.heap");
}

$node->start;
my $session = session($node);
my $pid = pid_of($session);

like(query($session, "SELECT jemctx_profile_start(); SELECT left(jemctx_profile_dump(), 8)"), qr/heap_v2/, 'a dump');
is(leftovers(), '', 'a dump: its file is gone');

# as with a full disk, in the middle or at the end; the server's log is another process's
like(query($session, q(SELECT length(string_agg(md5(g::text), ',')) FROM generate_series(1, 500000) g)),
	qr/^16499999$/, 'something to show');
for my $bytes (1024, length(query($session, 'SELECT jemctx_profile_dump()')) >> 1)
{
	system_or_bail('prlimit', "--pid=$pid", "--fsize=$bytes:unlimited");
	like(
		query($session, 'SELECT jemctx_profile_dump()'),
		qr/ERROR:  (jemalloc refused "prof.dump"|could not write heap profile .*: File too large)/,
		"a dump that fails after $bytes bytes");
	is(leftovers(), '', "a dump that fails after $bytes bytes: its file is gone");
}
system_or_bail('prlimit', "--pid=$pid", '--fsize=unlimited:unlimited');
like(query($session, 'SELECT left(jemctx_profile_dump(), 8)'), qr/heap_v2/, 'and the next one');

# a statement that holds a dump and fails later, and one that is not finished
like(
	query($session, 'SELECT jemctx_profile_dump(), 1 / (jemctx_purge() * 0)'),
	qr/division by zero/,
	'a dump in a statement that fails');
is(leftovers(), '', 'a dump in a statement that fails: its file is gone');
close_session($session);

$node->stop;
done_testing();
