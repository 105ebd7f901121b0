# Another module takes a row of PostgreSQL's table of methods, before jemctx or after it; or the table is
# not what we know.  pg_regress cannot load other modules into its server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

plan skip_all => 'PostgreSQL 15 has no table of methods' if server_major() < 16;

my $row = server_major() < 17 ? 7 : 9;
my $node = new_node('main', "jemctx.namespaces = 'a'\n");

# What a server without contexts of ours does.
sub does_without
{
	my ($what, $why) = @_;
	my $offset = -s $node->logfile;

	$node->start;
	my $log = slurp_file($node->logfile, $offset);
	is(() = $log =~ /memory contexts of jemctx are AllocSets in this server/g, 1, "$what: the log says so, once");
	like($log, qr/DETAIL:  .*$why\./, "$what: and why");
	like(info($node, 'dispatch'), qr/^none: .*$why$/, "$what: so does jemctx_info");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM jemctx_contexts'), '0', "$what: there are none");
	is( $node->safe_psql('postgres', "SELECT jemctx_test_list('transient'), jemctx_test_string('persistent')"),
		'|', "$what: who makes one has an AllocSet");
	like(
		session_output($node, "\\set VERBOSITY verbose\nSELECT jemctx_test_ns_build('a')"),
		qr/ERROR:  0A000: this server has no memory contexts of jemctx\nDETAIL:  .*$why\.\nHINT:  Use jemctx_namespace/,
		"$what: a namespace has no context");
	is($node->safe_psql('postgres', "SELECT jemctx_test_ns_fill('a', 100, 1000) > 0"), 't', "$what: but objects");
	is(info($node, 'malloc'), 'jemalloc', "$what: PostgreSQL's are on jemalloc");
	$node->stop;
	return;
}

$node->start;
like(info($node, 'dispatch'), qr/^method ids? \d/, 'alone: contexts are ours');
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');
is($node->safe_psql('postgres', "SELECT count(*) FROM jemctx_contexts WHERE name = 'CacheMemoryContext'"),
	'1', 'alone: the caches, too');
$node->stop;

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'jemctx_rival, jemctx'\n");
does_without('another came first', "another module has taken its row $row");

$node->append_conf('postgresql.conf', "jemctx_rival.spoil = on\n");
does_without('another table', 'its row 4 is not that of Generation');

$node->append_conf('postgresql.conf', "jemctx_rival.spoil = off\nshared_preload_libraries = 'jemctx, jemctx_rival'\n");
fails_to_start($node, '', 'another comes after', qr/FATAL:  another module has taken the methods of memory contexts/,
	qr/DETAIL:  It has changed row $row /, qr/HINT:  Name jemctx after that module/);

done_testing();
