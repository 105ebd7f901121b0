# jemctx and its client built with AddressSanitizer and UBSan, in a stock
# server that has libasan preloaded: memory that our contexts do not use is
# poisoned.  pg_regress starts its server without libasan.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

use_variant('sanitizer');
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'END');
shared_preload_libraries = 'jemctx'
jemctx.process_malloc = system
max_parallel_workers_per_gather = 0
restart_after_crash = on
END

# libasan's malloc is the server's; jemalloc is opened beside it
my $reports = PostgreSQL::Test::Utils::tempdir();
{
	chomp(my $libasan = `gcc -print-file-name=libasan.so`);
	local $ENV{LD_PRELOAD} = "$libasan:$ENV{BUILD_VARIANTS}/sanitizer/nls.so";
	local $ENV{ASAN_OPTIONS} = "detect_leaks=0:abort_on_error=1:log_path=$reports/asan";
	local $ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';
	$node->start;
}

sub reports
{
	return map { slurp_file($_) } glob("$reports/*");
}

$node->safe_psql('postgres', 'CREATE EXTENSION jemctx; CREATE EXTENSION jemctx_test');
regress_ok($node, 'sanitizer', qw(contexts transient persistent torture cache errors example));
is(join('', reports()), '', 'nothing to report');

# A process that makes a mistake is reported and ends.
sub is_reported
{
	my ($call, $message) = @_;
	my $matching = sub { scalar grep { /$message.*jemctx_test_/s } reports(), slurp_file($node->logfile) };
	my $before = $matching->();
	my $offset = -s $node->logfile;

	isnt($node->psql('postgres', "SELECT jemctx_test_$call"), 0, "$call: ends the process");
	# the server says which statement that was when it has noticed
	ok(poll(sub { $matching->() == $before + 1 }), "$call: is reported");
	wait_for_recovery($node, $offset);
	return;
}

for my $lifetime (qw(persistent transient))
{
	for my $bytes (100, 5000)
	{
		is_reported("read_freed('$lifetime', $bytes)", 'use-after-poison');
		is_reported("overrun('$lifetime', $bytes, 0, 'nothing')", 'use-after-poison');
	}
}
is_reported('shift(40)', 'runtime error: shift exponent 40');
$node->stop;

done_testing();
