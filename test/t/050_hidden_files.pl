# Files of the kernel that cannot be read, as under systemd's ProcSubset=pid.
# It takes a namespace to hide them in, and a server that starts there.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $mode = '/proc/sys/vm/overcommit_memory';

# A command that sees nothing in the file, as the user that we are.
sub without_mode
{
	my ($uid, $gid) = ($>, (split / /, $))[0]);

	return ('unshare', '--map-root-user', '--mount', 'sh', '-c',
		"mount --bind /dev/null $mode && exec unshare --map-user=$uid --map-group=$gid \"\$@\"", 'sh', @_);
}

my ($seen, $err) = ('', '');
IPC::Run::run([ without_mode('cat', $mode) ], '>', \$seen, '2>', \$err) && $seen eq ''
  or plan skip_all => "needs user namespaces: $err";

my $node = new_node('main');
my @pg_ctl = ('pg_ctl', '-w', '-D', $node->data_dir, '-l', $node->logfile, 'start');

ok(PostgreSQL::Test::Utils::system_log(without_mode(@pg_ctl)) == 0, 'the server starts')
  or diag slurp_file($node->logfile);
$node->_update_pid(1);
is(info($node, 'overcommit'), 'off', 'jemalloc takes it for a kernel that does not overcommit, and so do we');
is($node->safe_psql('postgres', big_sort()), '26000', 'memory can be used');
is($node->safe_psql('postgres', q(SELECT length(string_agg(repeat('x', 1000000), '')) FROM generate_series(1, 50))),
	'50000000', 'and grow');
committed_is_exact($node, 'what is committed is known');
$node->safe_psql('postgres', q(SELECT jemctx_namespace_create('n')));
is($node->safe_psql('postgres', 'SELECT name FROM jemctx_namespaces'), 'n', 'there are namespaces');
$node->stop;

done_testing();
