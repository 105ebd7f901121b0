# Ten seconds of the fuzzer: four sessions carry out streams of operations that
# libFuzzer makes up, in a server with AddressSanitizer and UBSan.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $build = ($ENV{BUILD_VARIANTS} // '') . '/fuzz';
plan skip_all => 'test/run has not built the fuzzer' if !-x "$build/fuzz";

my @corpus = glob "$ENV{TESTDIR}/test/fuzz/corpus/*";
my $new = PostgreSQL::Test::Utils::tempdir();
my $out = '';
my $done = IPC::Run::run(
	[   "$ENV{TESTDIR}/test/fuzz/start", $build, '-max_total_time=10', "-artifact_prefix=$new/", $new,
		"$ENV{TESTDIR}/test/fuzz/corpus" ],
	'>', \$out, '2>&1');
ok($done, 'no findings') or diag $out;
my ($runs) = $out =~ /Done (\d+) runs/;
cmp_ok($runs // 0, '>', scalar @corpus, 'the corpus was carried out, and more');

done_testing();
