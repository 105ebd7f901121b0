# Without shared_preload_libraries every way to the module must say so.
# pg_regress runs in one server, which has it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main');

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->start;
for my $statement ("LOAD 'jemctx'", 'SELECT * FROM jemctx_arenas', 'SELECT jemctx_purge()',
	'DROP EXTENSION jemctx; CREATE EXTENSION jemctx')
{
	my ($code, $out, $err) =
	  $node->psql('postgres', "\\set VERBOSITY verbose\n$statement;\nSELECT 'goes on';", on_error_stop => 0);

	like($err, qr/ERROR:  55000: jemctx must be loaded when the server starts/, "$statement: error");
	like($err, qr/HINT:  Add "jemctx" to shared_preload_libraries and restart the server/, "$statement: hint");
	is($out, 'goes on', "$statement: the session goes on");
}
$node->stop;

done_testing();
