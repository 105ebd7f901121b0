# The benchmarks' report: what it says of figures, which are given here, and that the programs are
# those of the report and take the options that it gives them; and one of them, at sizes that say
# nothing.  No figure of time is looked at.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

use lib "$ENV{TESTDIR}/test/bench";
use Report qw(at_size fit interval median row slope);

my $bench = "$ENV{TESTDIR}/test/bench";
local $ENV{PG_CONFIG} = 'pg_config';

# What a program of test/bench prints; with its messages.
sub output_of
{
	my ($program, @arguments) = @_;
	my $out = '';

	IPC::Run::run([ $^X, "$bench/$program", @arguments ], '<', \undef, '>', \$out, '2>&1')
	  or die "$program failed:\n$out";
	return $out;
}

sub write_json
{
	my ($file, $figures) = @_;

	open(my $handle, '>', $file) or die $!;
	print $handle JSON::PP->new->encode($figures);
	close $handle;
	return;
}

#
# Statistics
#

my $law = fit(map { [ $_, 3 * $_**0.5 ] } 4, 16, 100, 400);
is(sprintf('%.6f', $law->{exponent}), '0.500000', 'the exponent of a power law');
is(join(' ', map { sprintf('%.6f', $_) } @{ $law->{interval} }), '0.500000 0.500000', 'of which there is no doubt');
is(sprintf('%.3f', at_size($law, 10000)), '300.000', 'and what follows from it');
$law = fit(map { [ $_, 100 + $_ ] } 1, 10, 100, 1000);
ok($law->{interval}[0] < $law->{exponent} && $law->{exponent} < $law->{interval}[1], 'another is in its interval');
cmp_ok($law->{last_step}, '>', $law->{exponent}, 'and is steeper where what is constant counts less');
is(fit([ 1, 1 ], [ 1, 2 ], [ 1, 3 ]), undef, 'one size has no exponent');
is(slope([ 1, 5 ], [ 2, 7 ], [ 3, 9 ]), 2, 'a slope');
is(join(' ', @{ interval(\&median, (7) x 5) }), '7 7', 'an interval of what does not vary');
ok(row(ratio => 1.2, goal => '>= 1.1')->{reached} && !row(ratio => 1.2, goal => '<= 1.1')->{reached}, 'goals');

#
# The page
#

my $directory = PostgreSQL::Test::Utils::tempdir();
mkdir "$directory/$_" or die $! for qw(data pictures);
my @goals = (
	row(work => 'jemctx: too slow', peer => 10, ours => 15, ratio => 1.5, goal => '<= 1.2'),
	row(work => 'jemctx: a little slow', peer => 10, ours => 11, ratio => 1.1, interval => [ 1.05, 1.15 ],
		goal => '<= 1.2'),
	row(work => 'jemctx: fast', peer => 10, ours => 5, ratio => 0.5, goal => '<= 1.2'),
	row(work => 'stock-again: chance', peer => 10, ours => 10.1, ratio => 1.01));
write_json(
	"$directory/data/latency.json",
	{   postgresql => '15.0', kernel => 'Linux 1.0', cpu => 'a processor', cores => 2, memory => '3 GB',
		costs => { page_fault => 1.5, system_call => 0.1, malloc_64 => 0.01 }, goals => \@goals,
		printed => [ { head => [ 'a|b', 'c' ], rows => [ [ 'some words', 1.25 ] ] }, { note => 'how to read it' } ] });
write_json("$directory/data/run.json",
	{   quick => JSON::PP::true, begin => 0, seconds => 100, programs => [
			{ name => 'latency', options => '--rounds 2', seconds => 30, done => JSON::PP::true },
			{ name => 'peaks', options => '', seconds => 70, done => JSON::PP::false },
			{ name => 'traffic', options => undef, seconds => 0, done => JSON::PP::false } ] });
open(my $picture, '>', "$directory/pictures/latency.svg") or die $!;
close $picture;
is(output_of('report', $directory), "$directory/report.md\n", 'the report is written, without a complaint');
my $page = slurp_file("$directory/report.md");

# What is below a heading, up to the next of any level.
sub below
{
	my ($heading) = @_;
	my ($text) = $page =~ /^#+ \Q$heading\E[^\n]*\n\n(.*?)(?=\n#|\z)/ms;

	return $text // '';
}

like($page, qr/^# Benchmarks of jemctx: a quick run\n\nMade by `make bench-quick` on 1970-01-01 in 1\.7 min\./,
	'the page says which run it is of');
like(below('The machine'), qr/^\| a page fault on the stock server \| 1\.50 to 1\.50 us \|$/m, 'and on which machine');
my $short = below('In short');
like($short, qr/^2 of 3 goals are reached\.$/m, 'how many goals are reached');
like($short, qr/^\*\*These programs have failed:\*\* peaks\.$/m, 'what has failed');
like($short, qr/^Left out of a quick run: traffic\.$/m, 'what was left out');
like(below('What falls short'),
	qr/^\| latency \| jemctx: too slow \| 10\.0 \| 15\.0 \| 1\.500 \| - \| <= 1\.2 \| short \|$/m,
	'which goal is missed');
my $worse = below('What is slower or larger');
like($worse, qr/a little slow \| 10\.0 \| 11\.0 \| 1\.100 \| 1\.050-1\.150 \|/, 'and what is slower all the same');
unlike($worse, qr/jemctx: (?:fast|too slow)/, 'and nothing else');
like(below('What chance does'), qr/\| stock-again: chance \|/, 'what chance does');
my $section = below('latency');
like($section, qr/^What a client sees of a purge: /, 'a program says what it measures');
like($section, qr{`test/bench/latency --rounds 2`, 30 s; \[figures\]\(data/latency\.json\)}, 'its command and figures');
like($section, qr{^!\[latency\]\(pictures/latency\.svg\)$}m, 'its picture');
like($section, qr/^\| a\\\|b \| c \|\n\| --- \| ---: \|\n\| some words \| 1\.25 \|\n\nHow to read it\.$/m, 'its table');

#
# The programs
#

my %elsewhere = map { $_ => 1 } qw(before group shedding);
my @programs = sort grep { slurp_file("$bench/$_") =~ /^use Bench;/m } map { m{(\w+)$} } grep { -x } glob("$bench/*");
for my $quick ([], ['--quick'])
{
	my %options = output_of('all', '--list', @$quick) =~ /^(\w+) (.*)$/mg;

	is(join(' ', sort keys %options), join(' ', grep { !$elsewhere{$_} } @programs), "all programs are run @$quick");
	for my $program (sort keys %options)
	{
		my $help = output_of($program, '--help');
		my @unknown = grep { $help !~ /^  \Q$_\E \(/m } $options{$program} =~ /(--\w+)/g;

		is("@unknown", '', "$program knows its options");
	}
}

# A run that was ended is gone on with: what it has done is not done again.
my $ended = PostgreSQL::Test::Utils::tempdir();
mkdir("$ended/data");
write_json("$ended/data/run.json", { quick => JSON::PP::false, begin => 0, seconds => 1, programs => [
	map { { name => $_, seconds => 1, done => $_ eq 'limits' ? JSON::PP::false : JSON::PP::true } }
	  grep { $_ ne 'scaling' && !$elsewhere{$_} } @programs ] });
is(join(' ', output_of('all', '--list', '--resume', $ended) =~ /^(\w+)/mg), 'limits scaling', 'a run is gone on with');

#
# One of them
#

my $out = output_of('scaling', split(/ /, '--connections 1,2 --partitions 2,4 --objects 1000,2000,4000 --processes 1,2 '
		. '--places 60,120 --rounds 1'), '--json', "$directory/data/scaling.json");
my $scaling = JSON::PP::decode_json(slurp_file("$directory/data/scaling.json"));
my @parts = sort keys %{ $scaling->{figures} };
is("@parts", 'connections objects partitions places processes', 'scaling: all parts');
like($out, qr/^objects: namespace: live, MB +1\.0\d /m, 'scaling: live objects are in proportion');
like($out, qr/^connections +10,000 +262,143 +3\.81 /m, 'scaling: the large machine');
write_json("$directory/data/run.json",
	{   quick => JSON::PP::false, begin => 0, seconds => 1,
		programs => [ { name => 'scaling', options => '', seconds => 1, done => JSON::PP::true } ] });
output_of('report', $directory);
$page = slurp_file("$directory/report.md");
like(below('scaling'), qr/^\| processes \|.*^\| 2 \|/ms, 'scaling: its tables are on the page');

done_testing();
