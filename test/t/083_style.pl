# That test/style finds what it is for: each fault is planted in a small tree that has none, and found by
# its own check only.  No server is needed.
use strict;
use warnings;

use File::Basename qw(dirname);
use File::Path qw(make_path);
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

# Two rooms with two files each, below an entry, and on some more that nobody uses.
my @ground = map { "ground$_" } 1 .. 5;
my %sound = (
	map({ ("src/$_/ground.h" => "/* */\n" x 300) } @ground),
	'Makefile' => "ROOMS = @ground low high\n",
	'.editorconfig' => <<'INI',
[*]
charset = utf-8
end_of_line = lf
insert_final_newline = true
trim_trailing_whitespace = true
indent_style = tab
indent_size = 4

[*.{md,json}]
indent_style = space

[written/*]
trim_trailing_whitespace = false
INI
	'src/README.md' => "# Rooms\n\n```\nhigh/   what is built on it\nlow/    what that is on\n"
	  . join('  ', map { "$_/" } @ground) . "   the ground\n```\n",
	'jemctx.h' => "extern int jemctx_high(void);\n",
	'jemctx.c' => "#include \"jemctx.h\"\n#include \"high/roof.h\"\n\nvoid\n_PG_init(void)\n{\n\troof_enter();\n}\n",
	'src/low/earth.h' => "extern int earth_depth;\nextern int earth_dig(int depth);\n",
	'src/low/earth.c' => "#include \"low/earth.h\"\n\nint\t\t\tearth_depth = 1;\n\nint\nearth_dig(int depth)\n{\n"
	  . "\treturn depth * earth_depth;\n}\n",
	'src/low/wall.h' => "#include \"low/earth.h\"\n\n"
	  . "static inline int\nwall_height(void)\n{\n\treturn -earth_dig(1);\n}\n",
	'src/low/wall.c' => "#include \"low/wall.h\"\n\n"
	  . "int\nwall_build(void)\n{\n\treturn wall_height() + earth_dig(2);\n}\n",
	'src/high/roof.h' => "#include \"low/wall.h\"\n\nextern void roof_enter(void);\nextern int wall_build(void);\n",
	'src/high/roof.c' => "#include \"high/roof.h\"\n#include \"jemctx.h\"\n\n"
	  . "void\nroof_enter(void)\n{\n\t(void) wall_build();\n}\n\n"
	  . "int\njemctx_high(void)\n{\n\treturn 1;\n}\n",
	'test/program' => "#!/bin/bash\n\ngreet() {\n\techo hello\n}\ngreet\n",
	'test/t/1.pl' => "use strict;\n\nsub greet\n{\n\tprint 'hello';\n}\n",
	'written/table' => "a |\n",
);

# What test/style says of a tree: the names of its checks that fail, and all of it.
sub style_of
{
	my (%tree) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my $out = '';

	for my $file (keys %tree)
	{
		make_path(dirname("$directory/$file"));
		open(my $handle, '>', "$directory/$file") or die $!;
		print $handle $tree{$file};
		close $handle or die $!;
	}
	my $passed = IPC::Run::run([ "$ENV{TESTDIR}/test/style", $directory ], '<', \undef, '>', \$out, '2>&1');
	my @failed = $out =~ /^not ok \d+ - (.*)/mg;

	die "it does not say why it fails: $out" if $passed != (@failed == 0);
	die "it has not come to its end: $out" if $out !~ /^1\.\.\d+$/m;
	return (join('; ', @failed), $out);
}

# A file of the tree with a change of its text; one that is there more often can be missed.
sub changed
{
	my ($file, $from, $to) = @_;
	my %tree = %sound;

	$tree{$file} =~ s/\Q$from\E/$to/ == 1 or die "$file has no $from";
	return %tree;
}

sub added
{
	my ($file, $text) = @_;

	return (%sound, $file => ($sound{$file} // '') . $text);
}

sub is_found
{
	my ($what, $check, $reason, %tree) = @_;
	my ($failed, $out) = style_of(%tree);

	like($failed, qr/^$check[^;]*$/, "$what: found by one check");
	like($out, $reason, "$what: says which") or diag $out;
	return;
}

sub function_of
{
	my ($head, $lines, $line) = @_;

	return "$head\n{\n" . "\t$line\n" x $lines . "}\n";
}

my ($failed, $out) = style_of(%sound);
is($failed, '', 'nothing is found where nothing is') or diag $out;
like($out, qr/^# 6 functions in src\/, with 1 lines in the median/m, 'all functions are seen');

my $rooms = 'rooms use only themselves';
is_found('an include from below', $rooms, qr{low/earth uses high/roof.*include},
	changed('src/low/earth.c', "earth.h\"\n", "earth.h\"\n#include \"high/roof.h\"\n"));
is_found('a call from below', $rooms, qr{low/earth uses high/roof.*roof_enter},
	changed('src/low/earth.c', "\treturn", "\textern void roof_enter(void);\n\n\troof_enter();\n\treturn"));
is_found('a call of the module\'s own function from below', $rooms, qr{low/wall uses high/roof.*jemctx_high},
	changed('src/low/wall.c', 'wall_height()', 'jemctx_high()'));
is_found('a room that nobody knows', $rooms, qr{src/attic is a room}, added('src/attic/box.c', "int\t\t\tbox;\n"));
is_found('a figure that shows another order', 'src/README.md has a figure',
	qr{it shows "low high @{[ reverse @ground ]}"},
	%sound, 'src/README.md' => $sound{'src/README.md'} =~ s/(high.*\n)(low.*\n)/$2$1/r);
is_found(
	'a figure without a room',
	'src/README.md has a figure',
	qr{it shows "high"},
	%sound, 'src/README.md' => "```\nhigh/\n```\n");
is((style_of(changed('src/README.md', join('  ', map { "$_/" } @ground), join(' ', map { "$_/" } reverse @ground))))[0],
	'',
	'rooms on one floor may be in any order');

my $circles = 'no circles';
is_found('a circle of includes', $circles, qr{low/earth \(#include "low/wall.h"\) > low/wall \(.*\) > low/earth},
	changed('src/low/earth.c', "earth.h\"\n", "earth.h\"\n#include \"low/wall.h\"\n"));
is_found(
	'a circle by a call',
	$circles,
	qr{low/earth \(wall_build\) > low/wall},
	changed('src/low/earth.c', 'depth *', 'wall_build() *'));
is_found('a circle by a variable', $circles, qr{low/earth \(wall_top\) > low/wall},
	changed('src/low/wall.c', "wall.h\"\n", "wall.h\"\n\nint\t\t\tunseen = 1,\n\t\t\twall_top[2] = {1, 2};\n"),
	'src/low/earth.c' => $sound{'src/low/earth.c'} =~ s/depth \*/wall_top[0] */r);
is_found('a circle by a macro', $circles, qr{low/earth \(wall_height\) > low/wall},
	added('src/low/earth.h', "#define EARTH_TOP \\\n\t(wall_height() + 1)\n"));
for ('/* wall_build() */ ', '"wall_build" ', '\'"\' + ', '&rooms->wall_build ', 'rooms.wall_build + ')
{
	is((style_of(changed('src/low/earth.c', 'return', "return $_")))[0], '', "$_: is no call");
}

is_found('a long file', 'no file has more than 600', qr{test/new.h has 601 lines},
	added('test/new.h', "/* */\n" x 601));
is_found(
	'a long program',
	'no file has more than 600',
	qr{test/program has 606 lines},
	added('test/program', "greet\n" x 600));
my $long = 'no function has more than 40';
is_found(
	'a long function',
	$long,
	qr{earth_fill\(\) has 41 lines},
	added('src/low/earth.c', function_of("void\nearth_fill(void)", 41, 'dig();')));
is_found('a long function of another style', $long, qr{earth_fill\(\) has 41 lines},
	added('src/low/earth.c', "static pg_noinline void earth_fill(struct hole *hole, int (*with) (int)) {\n"
		  . "\tdig();\n" x 41 . "}\n"));
is_found(
	'a long function of Perl',
	$long,
	qr{wave\(\) has 41 lines},
	added('test/t/1.pl', function_of('sub wave', 41, 'print;')));
is_found(
	'a long function of a shell',
	$long,
	qr{wave\(\) has 41 lines},
	added('test/program', "wave() {\n" . "\techo\n" x 41 . "}\n"));
is((style_of(added('src/low/earth.c', function_of("void\nearth_fill(void)", 40, 'dig();'))))[0],
	'', '40 lines are no long function');
is_found('functions of some length', 'half of the functions have less', qr{the median is 8},
	added('src/low/earth.c', join '', map { function_of("void\nearth_$_(void)", 8, 'dig();') } 1 .. 8));

is_found('a large room', 'no room has more than 25', qr{# ground2\n}, added('src/ground2/more.h', "/* */\n" x 300));

is_found('a major out of its place', 'PG_VERSION_NUM', qr{src/low/earth.h:3: #if PG_VERSION_NUM},
	added('src/low/earth.h', "#if PG_VERSION_NUM >= 160000\n#endif\n"));
for ('je.malloc(1)', 'MALLOCX_ARENA(1)', 'je_malloc(1)', 'mallctl("a")')
{
	is_found(
		$_,
		'what jemalloc names',
		qr{src/high/roof.c:\d+: \treturn },
		changed('src/high/roof.c', 'return 1', "return $_"));
}
is((style_of(changed('src/high/roof.c', 'return 1', 'return mallctl_size("arenas.page") /* je_malloc */')))[0], '',
	'what asks jemalloc for others may be called');

is_found('a definition of the build', 'what the build defines', qr{src/low/earth.h:3: #define JEMCTX_CHECKING},
	added('src/low/earth.h', "#define JEMCTX_CHECKING\n"));

is_found('a long line of C', 'C has lines', qr{earth.h:3: /},
	added('src/low/earth.h', "/*" . "\t" x 24 . "12 */\n"));
is((style_of(added('src/low/earth.h', "/*" . "\t" x 24 . "1 */\n")))[0], '', '100 columns are no long line');
for my $file ('test/t/1.pl', 'test/program', 'src/README.md', 'sql/1.sql')
{
	is_found("a long line of $file", 'all else that one reads has lines', qr{\Q$file\E:\d+: },
		added($file, "# " . 'x' x 119 . "\n"));
}
is((style_of(added('src/README.md', '# ' . "\x{c3}\x{a4}" x 118 . "\n| " . 'x ' x 100 . "|\nhttps://" . 'x' x 120
	  . "\n")))[0], '',
	'characters count, not bytes, and not those of tables and addresses');

my $form = '.editorconfig is true';
is_found('blanks at an end', $form, qr{earth.h:3: }, added('src/low/earth.h', "int a; \n"));
is_found('a tab at an end', $form, qr{src/README.md:8: }, added('src/README.md', "a\t\n"));
is_found('no newline', $form, qr{test/program: does not end}, added('test/program', 'greet'));
is_found('blanks in the place of a tab', $form, qr{earth.h:3: }, added('src/low/earth.h', "    int a;\n"));
is_found('blanks after a tab', $form, qr{1.pl:7: }, added('test/t/1.pl', "\t    1;\n"));
is_found('a blank before a tab', $form, qr{1.pl:7: }, added('test/t/1.pl', "my \$a \t= 1;\n"));
is_found('a tab in the place of blanks', $form, qr{list.json:1: }, added('test/list.json', "\t{}\n"));
is_found('another end of line', $form, qr{earth.h:3: }, added('src/low/earth.h', "int a;\r\n"));
is_found('another character set', $form, qr{earth.h: is not UTF-8}, added('src/low/earth.h', "/* \xe4 */\n"));

done_testing();
