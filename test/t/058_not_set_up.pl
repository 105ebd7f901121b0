# Other modules' calls into jemctx where it has not been preloaded: its symbols
# are there once any function of it has been called.  pg_regress runs in one
# server, which has it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main');

$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');
$node->stop;
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->start;
for my $call (
	"jemctx_test_list('transient')", "jemctx_test_list('persistent')", "word_count('a')",
	"jemctx_test_ns_sizes('a')", "jemctx_namespace_create('a')")
{
	my $output = session_output($node,
		"\\set VERBOSITY verbose\nSELECT jemctx_purge();\n\\echo ==\nSELECT $call;\n\\echo ==\nSELECT 'goes on';\n");
	my (undef, $answer, $after) = split /^==\n/m, $output;

	like($answer, qr/ERROR:  55000: jemctx must be loaded when the server starts/, "$call: error");
	like($answer, qr/HINT:  Add "jemctx" to shared_preload_libraries and restart the server/, "$call: hint");
	is($after, "goes on\n", "$call: the session goes on");
}

$node->stop;
done_testing();
