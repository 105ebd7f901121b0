# The example that others copy: a dictionary of the server, seen from sessions
# of several databases that load it at once and wait for its lock.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

my $node = namespace_node('main');
my $load = q(SELECT dictionary_load('SELECT md5(i::text), i FROM generate_series(1, 20000) i'));

sql($node, 'CREATE EXTENSION jemctx_dictionary');
sql($node, 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION jemctx_dictionary');
is(sql($node, $load), 20000, 'a dictionary is loaded');
is($node->safe_psql('other', q(SELECT dictionary_find(md5('7')))), 7, 'and found in another database');

# A lock that any database takes keeps all from replacing it.
my $holder = open_session($node);
my $objects = figure($node, 'objects', 'dictionary');
ask($holder, "BEGIN; SELECT jemctx_test_dictionary_lock()");
my ($status, $out, $err) = $node->psql('other', "SET lock_timeout = 100; $load");
like($err, qr/canceling statement due to lock timeout/, 'who cannot have the lock gives up');
is(figure($node, 'objects', 'dictionary'), $objects, 'and leaves nothing behind');
ask($holder, 'COMMIT');
close_session($holder);

# Nobody else may load one.
sql($node, 'CREATE ROLE reader');
($status, $out, $err) = $node->psql('postgres', "SET ROLE reader; $load");
like($err, qr/permission denied for function dictionary_load/, 'not everybody may load it');
is(sql($node, "SET ROLE reader; SELECT dictionary_find(md5('7'))"), 7, 'but read it');

$node->stop;

done_testing();
