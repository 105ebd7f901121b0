# A heap profile as a flame graph: functions have their names, or none; the widths are what is in use, which is
# what jeprof says of the same profile; and whatever is not as it should be, is said, with what to do about it.
use strict;
use warnings;
no warnings 'portable';

use IPC::Run;
use List::Util qw(sum uniq);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

for my $program (qw(jeprof nm objcopy xmllint))
{
	plan skip_all => "$program is not installed" if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

my $directory = PostgreSQL::Test::Utils::tempdir();
my ($bindir) = grep { -x "$_/postgres" } split /:/, $ENV{PATH};
my $program = "$ENV{TESTDIR}/monitoring/jemctx_flamegraph";

# What the command prints, and what it complains about.
sub flamegraph
{
	my ($arguments, $input) = @_;
	my ($out, $err) = ('', '');

	# without debug symbols, that is
	IPC::Run::run([ $^X, $program, "--debug=$directory/debug", @$arguments ], '<', \($input // ''), '>', \$out,
		'2>', \$err);
	return ($out, $err);
}

# The frames of a picture.
sub frames
{
	my ($svg) = @_;
	my @frames;

	while ($svg =~ m{<g><title>(.*?)</title><rect (.*?)/>(?:<text [^>]*>(.*?)</text>)?</g>}g)
	{
		my ($title, $rect, $label) = ($1, $2, $3 // '');
		my %frame = ($rect =~ /(\w+)="([\d.]+)"/g, label => $label);

		@frame{qw(name file start bytes)} =
		  $title =~ /^(.*) of ([^,]*?)(?:, at 0x([0-9a-f]+))?: (\d+) bytes, [\d.]+ %$/
		  or die $title;
		push(@frames, \%frame);
	}
	return @frames;
}

sub total
{
	my ($svg) = @_;

	return $svg =~ /\((\d+) bytes\) are in use/ ? $1 : die $svg;
}

# How many bytes functions of that name have, wherever they are.
sub bytes_in
{
	my ($name, @frames) = @_;

	return sum(0, map { $_->{bytes} } grep { $_->{name} eq $name } @frames);
}

sub is_xml
{
	my ($svg, $what) = @_;
	my $err = '';

	IPC::Run::run([ 'xmllint', '--noout', '-' ], '<', \$svg, '2>', \$err);
	is($err, '', "$what: it is XML");
	return;
}

# Each frame is as wide as its bytes, and on one that has no less than all that are on it.
sub widths_are_right
{
	my ($svg, $what) = @_;
	my @frames = frames($svg);
	my ($total, $lowest) = (total($svg), (sort { $b <=> $a } map { $_->{y} } @frames)[0]);
	my @bottom = grep { $_->{y} == $lowest } @frames;
	my @wrong = grep { abs($_->{width} - $bottom[0]{width} * $_->{bytes} / $total) > 0.02 } @frames;

	is(scalar(@bottom), 1, "$what: on one frame");
	is($bottom[0]{bytes}, $total, "$what: which has everything");
	is(join(' ', map { $_->{name} } @wrong), '', "$what: widths are bytes");
	@wrong = ();
	for my $frame (@frames)
	{
		my @on = grep { $_->{y} == $frame->{y} - $frame->{height} && $_->{x} >= $frame->{x} - 0.02
				&& $_->{x} < $frame->{x} + $frame->{width} - 0.02 } @frames;

		push(@wrong, $frame) if sum(0, map { $_->{bytes} } @on) > $frame->{bytes} + @on
		  || grep { $_->{x} + $_->{width} > $frame->{x} + $frame->{width} + 0.05 } @on;
	}
	is(join(' ', map { $_->{name} } @wrong), '', "$what: and no more is on a frame than it has");
	return;
}

#
# A session that holds a sort, and memory of a library
#

my $node = new_node('main', "jemctx.profile = on\n");
{
	# one sample in 16 kB
	local $ENV{MALLOC_CONF} = 'lg_prof_sample:14';
	$node->start;
}
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');
append_to_file("$directory/sort.sql", <<'SQL');
BEGIN;
DECLARE c CURSOR FOR SELECT md5(g::text), g FROM generate_series(1, 50000) g ORDER BY 1;
FETCH c;
SQL
my $library = q(SELECT jemctx_test_library('malloc', 1000000, 20));
my @statements = ('-c', q(SET work_mem = '64MB'), '-f', "$directory/sort.sql", '-c', $library);
my ($svg, $err) = flamegraph([ '-d', $node->connstr('postgres'), @statements ]);
my @frames = frames($svg);

is($err, '', 'a session: no complaints');
is_xml($svg, 'a session');
widths_are_right($svg, 'a session');
for my $function (qw(main PostmasterMain PostgresMain standard_ProcessUtility standard_ExecutorRun
	tuplesort_puttupleslot jemctx_test_library))
{
	cmp_ok(bytes_in($function, @frames), '>', 0, "a session: it has $function");
}
# a block is a sample with a probability of 1, or nearly; each has a header
my $held = bytes_in('jemctx_test_library', @frames);
cmp_ok(abs($held - 20e6), '<', 4e6, "a session: the library's memory, $held bytes");
is(join(' ', grep { /0x/ } map { $_->{label} } @frames), '', 'a session: no addresses are shown');
is(join(' ', uniq(grep { /^libjemalloc/ } map { $_->{file} } @frames)), '', 'a session: nor what jemalloc does');

# Names of the program's functions are names of its functions.
my %known = map { /^[0-9a-f]+ \w (\S+)/ ? ($1 => 1) : () }
  map { split /\n/, `nm $_ --defined-only $bindir/postgres 2>/dev/null` } '', '-D';
my @named = uniq(map { $_->{name} } grep { $_->{file} eq 'postgres' && $_->{name} !~ / / } @frames);
cmp_ok(scalar(@named), '>', 20, 'a session: functions of postgres have names');
is(join(' ', grep { !$known{$_} } @named), '', 'a session: which are its own');
my %exported = map { /^([0-9a-f]+) T (\S+)/ ? (hex $1 => $2) : () } `nm -D --defined-only $bindir/postgres`;
is(join(' ', map { $exported{ hex($_->{start} // 0) } // () } grep { $_->{file} eq 'postgres' } @frames),
	'', 'a session: none that is exported has no name');

#
# The same profile in a file
#

# One session, as psql writes it where nothing says otherwise, or as it is.
sub dump_file
{
	my ($name, @options) = @_;
	my $sql = "SELECT jemctx_profile_start();\nSET work_mem = '64MB';\n\\i $directory/sort.sql\n"
	  . "SELECT jemctx_profile_dump();\n";

	IPC::Run::run([ 'psql', '-X', @options, '-d', $node->connstr('postgres'), '-f', '-' ], '<', \$sql,
		'>', "$directory/$name")
	  or die 'psql has failed';
	return "$directory/$name";
}

my $file = dump_file('my.heap', '-Atq');
my $profile = slurp_file($file);
my ($collapsed) = flamegraph([ '--collapsed', $file ]);
# which takes nothing before the profile
append_to_file("$file.only", $profile =~ s/\A.*?(?=^heap_v2)//msr);
my $jeprof = `jeprof --text --show_bytes $bindir/postgres $file.only 2>&1`;
my ($jeprofs) = $jeprof =~ /^Total: (\d+) B$/m or die $jeprof;

($svg, $err) = flamegraph([ '-t', 'Sort & <"hold">', $file ]);
is($err, '', 'a file: no complaints');
is_xml($svg, 'a file');
widths_are_right($svg, 'a file');
like($svg, qr{<title>Sort &amp; &lt;&quot;hold&quot;&gt;</title>}, 'a file: with a title');
my $lines = () = $collapsed =~ /^main;PostmasterMain;\S+;tuplesort_puttupleslot;\S+ \d+$/mg;
cmp_ok($lines, '>', 0, 'a file: stacks as lines');
cmp_ok(abs(total($svg) - sum(map { / (\d+)$/ } split /\n/, $collapsed)), '<', $collapsed =~ tr/\n//,
	'a file: the stacks add up to the picture');
cmp_ok(abs(total($svg) - $jeprofs), '<', $collapsed =~ tr/\n//, 'a file: which is what jeprof says');
is((flamegraph([ '-t', 'Sort & <"hold">', '-' ], $profile))[0], $svg, 'standard input: the same');
flamegraph([ '-t', 'Sort & <"hold">', '-o', "$directory/out.svg", $file ]);
is(slurp_file("$directory/out.svg"), $svg, 'and to a file');

#
# Whatever is wrong
#

sub fails
{
	my ($what, $arguments, $message, $input) = @_;
	my ($out, $err) = flamegraph($arguments, $input);

	is($out, '', "$what: nothing is drawn");
	like($err, qr/^jemctx_flamegraph: error: $message/m, "$what: says why");
	unlike($err, qr/ at \S+ line \d+/, "$what: and nothing else");
	return;
}

my $usage = qr/\njemctx_flamegraph: hint: Try "jemctx_flamegraph --help"/;
like((flamegraph(['--help']))[0], qr/^usage:\n  jemctx_flamegraph/m, 'it says how it is used');
fails('no arguments', [], qr/a profile or statements are wanted$usage/);
fails('a profile and statements', [ $file, '-c', 'SELECT 1' ], qr/either a profile or statements are wanted$usage/);
fails('two profiles', [ $file, $file ], qr/more than one profile$usage/);
fails('no such option', ['--colour'], qr/unknown option: colour$usage/);
fails('no such file', ["$directory/nothing"], qr/could not open ".*nothing": No such file/);
fails('a directory', [$directory], qr/could not read ".*": Is a directory/);
fails('no profile', [ dump_file('aligned.heap') ], qr/".*aligned.heap" is no heap profile.*\n.*hint: .*psql -XAtq/);
fails('nothing', ['-'], qr/"-" is no heap profile/);
for my $share (0.1, 0.5, 0.9)
{
	fails("$share of a profile", ['-'], qr/"-" is no heap profile, or not all of one\n/,
		substr($profile, 0, $share * length $profile));
}
fails('no samples', ['-'], qr/the profile "-" has no samples\n.*hint: .*jemctx_profile_start\(\)/,
	$profile =~ s/^@.*\n.*\n.*\n//gmr);
fails('another machine', ['-'], qr/no file of the server can be read, .*\n.*hint: Run it on the server's machine/,
	$profile =~ s{ /}{ /elsewhere/}gr);
fails('a full disk', [ '-o', '/dev/full', $file ], qr{could not write "/dev/full": No space left});
fails('no such directory', [ '-o', "$directory/no/out.svg", $file ], qr{could not open ".*out.svg": No such file});
{
	local $ENV{PATH} = $directory;
	fails('no psql', [@statements], qr/could not execute "psql": No such file.*\n.*hint: Install/);
}
fails('no server', [ '-d', "host=$directory", @statements ], qr/psql has got no profile\n.*hint: Say where to connect/);
fails('a mistake', [ '-d', $node->connstr('postgres'), '-c', 'SELECT 1 / 0' ], qr/psql has got no profile\n\z/);
fails('no extension', [ '-d', $node->connstr('template1'), '-c', 'SELECT 1' ],
	qr/psql has got no profile\n.*hint: It needs the extension/);
like((flamegraph([ '-d', $node->connstr('postgres'), '-c', 'SELECT 1 / 0' ]))[1], qr/ERROR:  division by zero/,
	'what psql says, is said');

# A file that the server has still, and that there is no more, or another.
my ($without, $warning) = flamegraph([ '--collapsed', '-' ], $profile =~ s{(/jemctx\.so)$}{$1 (deleted)}gmr);
like($warning, qr/^jemctx_flamegraph: warning: the server has another ".*jemctx.so" .* are not known\n\z/,
	'a file was removed');
like($without, qr/;\[jemctx\.so\] \d+$/m, 'a file was removed: its functions have no names');
($without, $warning) = flamegraph([ '--collapsed', '-' ], $profile =~ s{ \d+( +/\S*/postgres)$}{ 1$1}gmr);
like($warning, qr/^jemctx_flamegraph: warning: the server has another ".*postgres" .* may be wrong\n\z/,
	'a file was replaced');
is($without, $collapsed, 'a file was replaced: it has names, anyway');

$node->append_conf('postgresql.conf', "jemctx.profile = off\n");
$node->restart;
fails('no profiles', [ '-d', $node->connstr('postgres'), '-c', 'SELECT 1' ], qr/psql has got no profile/);
like((flamegraph([ '-d', $node->connstr('postgres'), '-c', 'SELECT 1' ]))[1],
	qr/HINT:  Set jemctx.profile to on and restart/, 'no profiles: says what to do');
$node->stop;

#
# A library of which all is known: with debug symbols and without
#

my $so = compile_library($directory, 'two', <<'C');
__attribute__((noinline)) static int hidden(int a) { __asm__ volatile(""); return a + 1; }
__attribute__((noinline)) static int hidden_too(int a) { __asm__ volatile(""); return a + 2; }
int shown(int a) { return hidden(a) + hidden_too(a); }
int main(void) { return shown(1); }
C
my %address = map { /^([0-9a-f]+) \w (hidden|hidden_too|shown|main)$/ ? ($2 => hex $1) : () } `nm $so`;
my ($id) = `readelf -n $so` =~ /Build ID: (\w+)/ or die "$so has no build ID";
my ($first, $rest) = $id =~ /^(..)(.*)$/;
system_or_bail('mkdir', '-p', "$directory/symbols/.build-id/$first");
system_or_bail('objcopy', '--only-keep-debug', $so, "$directory/symbols/.build-id/$first/$rest.debug");
system_or_bail('strip', $so);

# A profile where it is mapped there; memory without a file calls it, too.
my $start = 0x7f12_3456_0000;
my $at = sub { join('', map { sprintf(' 0x%x', $start + $address{$_} + 5) } @_) };
my $made_up = "heap_v2/1\n  t*: 1: 1 [0: 0]\n  t0: 1: 1 [0: 0]\n"
  . '@' . $at->(qw(hidden shown main)) . " 0x10\n  t*: 3: 3000 [0: 0]\n"
  . '@' . $at->(qw(hidden_too shown main)) . "\n  t*: 1: 5000 [0: 0]\n"
  . '@' . $at->('shown') . " 0x20\n  t*: 1: 400 [0: 0]\n"
  . '@' . $at->('main') . "\n  t*: 0: 0 [0: 0]\n\nMAPPED_LIBRARIES:\n"
  . sprintf("%x-%x r-xp 00000000 fe:00 %d      %s\n", $start, $start + (1 << 20), (stat $so)[1], $so)
  . "7fff00000000-7fff00100000 rw-p 00000000 00:00 0     [stack]\n";

is((flamegraph([ '--collapsed', '-' ], $made_up))[0],
	"...;[no file];shown 400\nmain;shown;[two.so] 8000\n", 'without symbols: static functions have no names');
is((flamegraph([ '--collapsed', "--debug=$directory/symbols", '-' ], $made_up))[0],
	"...;[no file];shown 400\nmain;shown;hidden 3000\nmain;shown;hidden_too 5000\n", 'with symbols: they have');
($svg) = flamegraph(['-'], $made_up);
is_xml($svg, 'without symbols');
is(join(' ', map { "$_->{name}:$_->{bytes}" } frames($svg)), 'main:8000 ...:400 shown:8000 [no file]:400 '
	  . 'a function without a name:5000 a function without a name:3000 shown:400', 'without symbols: two are two');

is(slurp_file("$bindir/jemctx_flamegraph"), slurp_file($program), 'it is installed');
ok(-x "$bindir/jemctx_flamegraph", 'and can be executed');
like(`make -n -C $ENV{TESTDIR} PG_CONFIG=$bindir/pg_config uninstall`, qr{/bin'?/jemctx_flamegraph$}m, 'and removed');
done_testing();
