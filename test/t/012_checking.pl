# The checking build: the tests of every build pass in it too, and it reports
# what went wrong before, with addresses that differ from run to run, which is
# nothing for an expected file.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

use_variant('checking');
my $node = new_node('main', "max_parallel_workers_per_gather = 0\n");
$node->start;
regress_ok($node, 'checking build', qw(info arenas bins contexts transient persistent torture cache purge
	stats settings privileges errors example checking install));
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');

my $overrun = qr/WARNING:  problem in memory context "test": detected write past the end of chunk 0x/;
my $bogus = qr/WARNING:  problem in memory context "test": bogus header of (large )?chunk 0x/;
my $foreign = qr/ERROR:  pointer 0x[0-9a-f]+ is not a chunk of memory context "test"/;
my @mistakes;	# [call, message]

for my $lifetime (qw(persistent transient))
{
	for my $bytes (1, 100, 5000, 100000)
	{
		# the sentinel has 8 bytes
		push(@mistakes, [ "overrun('$lifetime', $bytes, 0, '$_')", $overrun ]) for qw(free resize reset check);
		push(@mistakes, [ "overrun('$lifetime', $bytes, 7, 'free')", $overrun ]);
		# what is in front of the data: requested size, seal
		push(@mistakes, [ "underrun('$lifetime', $bytes, $_, 'free')", $foreign ]) for 17, 32;
		push(@mistakes, [ "underrun('$lifetime', $bytes, 24, 'reset')", $bogus ]);
	}
}
# all in one session, which must survive them
my @outputs = split /^done with \d+\n/m,
	session_output($node,
		join('', map { "SELECT jemctx_test_$mistakes[$_][0];\n\\echo done with $_\n" } 0 .. $#mistakes));
like($outputs[$_] // '', $mistakes[$_][1], $mistakes[$_][0]) for 0 .. $#mistakes;
unlike(session_output($node, "SELECT jemctx_test_sizes('persistent'), jemctx_test_sizes('transient')"),
	qr/WARNING|ERROR/, 'nothing is reported where nothing is wrong');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'no process crashed');
$node->stop;

done_testing();
