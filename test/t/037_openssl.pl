# What OpenSSL frees goes back to malloc, but for what a process frees when it is
# nothing but about to end.  pg_regress sees no end of a process.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');
plan skip_all => 'PostgreSQL has no OpenSSL here'
  if $node->safe_psql('postgres', "SELECT setting FROM pg_settings WHERE name = 'ssl_library'") ne 'OpenSSL';

my $session = session($node);
my $offset = -s $node->logfile;

cmp_ok(query($session, 'SELECT jemctx_test_openssl_freed()'), '>=', 3000, 'at work: what OpenSSL frees is free');
query($session, 'SELECT jemctx_test_openssl_tell_at_end()');
close_session($session);
for my $moment (qw(before while after))
{
	$node->wait_for_log(qr/LOG:  $moment: OpenSSL frees/, $offset);
	my ($freed) = slurp_file($node->logfile, $offset) =~ /$moment: OpenSSL frees (\d+) bytes/;

	is($freed >= 3000, $moment ne 'after', "$moment it leaves shared memory") or diag "$freed bytes";
}

$node->stop;

done_testing();
