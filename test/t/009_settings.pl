# Settings that need a restart of the server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jemctx.cache_contexts = off\njemctx.dirty_decay = 12345\n");

$node->start;
is($node->safe_psql('postgres', 'SELECT name FROM jemctx_contexts'), '', 'cache_contexts = off: no context of ours');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'CacheMemoryContext'"),
	'1', 'cache_contexts = off: PostgreSQL has its own');

# The decay of an arena, as jemalloc has it: a backend that has a lot decides
# itself, unless it is to keep nothing.
my $decay = q(SELECT jemctx_stats_json()->'jemalloc'->'stats.arenas'->'0'->>'dirty_decay_ms');
is($node->safe_psql('postgres', 'SHOW jemctx.dirty_decay'), '12345ms', 'dirty_decay is what it was set to');
is($node->safe_psql('postgres', $decay), '12345', 'of a small backend jemalloc has it');
my $large = "SET work_mem = '64MB'; " . big_sort();
like($node->safe_psql('postgres', "$large; $decay"),
	qr/\n-1$/, 'a large backend decides itself how long it keeps what it has');
like($node->safe_psql('postgres', "SET jemctx.dirty_decay = 0; $large; $decay"), qr/\n0$/, 'unless it keeps nothing');
is($node->safe_psql('postgres', "SET jemctx.dirty_decay = 0; $decay"), '0', 'dirty_decay = 0 keeps nothing');
is($node->safe_psql('postgres', $decay), '12345', 'in that session only');
$node->append_conf('postgresql.conf', "jemctx.dirty_decay = 0\n");
$node->reload;
$node->poll_query_until('postgres', $decay, '0') or die 'the setting was not reloaded';
pass('dirty_decay is reloaded');
$node->stop;

$node->append_conf('postgresql.conf', "jemctx.profile = on\n");
$node->start;
is(info($node, 'profiling'), 'available', 'profile = on: available');
my $profile = $node->safe_psql('postgres', q(
	SELECT jemctx_profile_start();
	SELECT length(string_agg(md5(g::text), ',')) FROM generate_series(1, 500000) g;
	BEGIN;
	DECLARE c CURSOR FOR SELECT g, md5(g::text) m FROM generate_series(1, 50000) g ORDER BY m;
	MOVE 1 IN c;
	SELECT jemctx_profile_dump();
	COMMIT;
	SELECT jemctx_profile_stop();
));
like($profile, qr/^heap_v2\/\d+/m, 'a profile is in the form of jeprof');
like($profile, qr/^@ 0x/m, 'it has stacks');
like($profile, qr/^MAPPED_LIBRARIES:/m, 'and the libraries they are in');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_dir(\'pg_stat_tmp\') f WHERE f LIKE \'jemctx%\''),
	'0', 'no file is left');
$node->stop;

done_testing();
