# How many instructions contexts and namespaces take, of those that PostgreSQL's
# own take: no clock could tell it on a machine that does something else as well.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

plan skip_all => 'there is no valgrind' if system('valgrind --version >/dev/null 2>&1') != 0;

my $major = server_major();
my @goals = grep { /^$major / } split(/\n/, slurp_file("$ENV{TESTDIR}/test/bench/instructions.goals"));
plan skip_all => 'nobody has counted with this PostgreSQL' if !@goals;

my $directory = PostgreSQL::Test::Utils::tempdir();
my $out = '';

local $ENV{PG_CONFIG} = 'pg_config';
IPC::Run::run(
	[   "$ENV{TESTDIR}/test/bench/instructions", '--kinds', 'AllocSet,transient,persistent,dsa,namespace',
		'--json', "$directory/counts" ],
	'<', \undef, '>', \$out, '2>&1')
  or die "instructions could not be counted:\n$out";
my $rows = JSON::PP::decode_json(slurp_file("$directory/counts"))->{goals};

is(scalar @$rows, scalar @goals, 'all goals are looked at');
ok($_->{reached}, sprintf('%s: %.3f %s', @$_{qw(work ratio goal)})) for @$rows;

done_testing();
