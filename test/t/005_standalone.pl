# Servers without a postmaster's life: single-user mode, postgres -C, and a
# standby made from a backup.  pg_regress has none of them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('primary', "wal_level = replica\nmax_wal_senders = 5\n");
$node->append_conf('pg_hba.conf', "local replication all trust\n");

sub output_of
{
	my ($input, @command) = @_;
	my ($out, $err) = ('', '');

	ok(IPC::Run::run(\@command, '<', \$input, '>', \$out, '2>', \$err), "@command[0 .. 1]: succeeds") or diag $err;
	return $out;
}

my $out = output_of(
	"SELECT name FROM jemctx_arenas ORDER BY arena;\nSELECT value FROM jemctx_info WHERE name = 'origin';\n"
	  . "SELECT abs(s.committed - b.committed) < 500000 AS sum FROM jemctx_server s, jemctx_backends b;\n",
	'postgres', '--single', '-D', $node->data_dir, 'postgres');
like($out, qr/name = "process".*name = "persistent".*value = "re-executed"/s, 'single-user mode has its arenas');
like($out, qr/sum = "t"/, 'and all that the server has is what this process has');
is(output_of('', 'postgres', '-D', $node->data_dir, '-C', 'data_directory'), $node->data_dir . "\n", 'postgres -C');
like(output_of('', 'postgres', '-D', $node->data_dir, '-C', 'shared_memory_size'),
	qr/^\d+\n$/, 'postgres -C of a computed value');

$node->backup_fs_cold('copy');
$node->start;
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
is(info($standby, 'origin'), 're-executed', 'a standby runs on jemalloc');
$node->safe_psql('postgres', 'CREATE TABLE t AS SELECT generate_series(1, 10000) i');
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT count(*) FROM t'), '10000', 'and replays');
committed_is_exact($standby, 'standby');
$node->stop;
$standby->promote;
is($standby->safe_psql('postgres', 'INSERT INTO t VALUES (0); SELECT count(*) FROM t'), '10001', 'and can be promoted');
$standby->stop;

done_testing();
