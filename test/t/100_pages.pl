# What the pages have their readers type is right: SQL and settings are given to a server as they stand, and
# what is shown of answers and errors is what it answers; commands for shells are carried out in a copy of
# the tree where make only says what it would do, and the tests' programs and what installs only note what
# they are asked.  Names of settings, views, functions, columns, targets and files are names of something.
use strict;
use warnings;

use File::Find qw(find);
use IPC::Run;
use List::Util qw(uniq);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my @pages = qw(README.md docs/contexts.md docs/namespaces.md);
my $tree = PostgreSQL::Test::Utils::tempdir();
my ($bindir) = grep { -x "$_/postgres" } split /:/, $ENV{PATH};
my $with_checks = ($ENV{BUILD_VARIANTS} // '') . '/checking/bin';

plan skip_all => 'test/run has not built the variant "checking"' if !-x "$with_checks/postgres";

# What needs something first, a later major, or a build with checks.
my %before = ('CREATE EXTENSION jemctx_dictionary' =>
	  "CREATE TABLE words AS SELECT * FROM (VALUES ('aardvark', 1::bigint), ('zebra', 2)) w (word, id);\n");
my $since_18 = 'JOIN pg_backend_memory_contexts USING (path)';
my $needs_checks = 'Finding mistakes';

sub page
{
	my ($name) = @_;

	return slurp_file("$ENV{TESTDIR}/$name");
}

# The fenced blocks of a page: where each is, in what language, and what is shown of the answer.
sub blocks
{
	my ($name) = @_;
	my $page = page($name);
	my @blocks;

	while ($page =~ /^```(\w*)\n(.*?)^```\n(?:```\n(.*?)^```\n)?/msg)
	{
		my ($language, $text, $answer) = ($1, $2, $3);
		my $before = substr($page, 0, $-[0]);
		my ($section) = $before =~ /.*^#+ (.*?)$/ms;
		my $line = 1 + $before =~ tr/\n//;

		push(@blocks, { at => "$name:$line", section => $section, language => $language, text => $text,
				answer => $answer });
	}
	return @blocks;
}

# What is written as code in a page's text.
sub spans
{
	my ($name) = @_;
	my $text = page($name) =~ s/^```.*?^```$//gmsr;

	return uniq(map { s/\s+/ /gr } $text =~ /`([^`]+)`/g);
}

#
# Servers
#

my $node = new_node('main', "jemctx.profile = on\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');
$node->safe_psql('postgres', 'CREATE DATABASE reader');

# What psql prints, and what it says of mistakes.
sub psql
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('reader'), '-f', '-' ],
		'<', \$sql, '>', \$out, '2>', \$err);
	return ($out, join('', grep { !/NOTICE:/ } split /^/, $err) =~ s/^psql:\S+ //gmr);
}

# A text without what is different each time: numbers, names of libraries, and how wide columns are.
sub shape
{
	my ($text) = @_;
	my @lines = grep { !/^\(N rows?\)$|^[-+]*$/ } split /\n/, $text =~ s/\S+\.so\b/LIBRARY/gr =~ s/\d+/N/gr;

	return join("\n", map { s/^ +| +$//gr =~ s/ *\| */|/gr } @lines);
}

sub sql_ok
{
	my ($block) = @_;
	my ($first) = grep { index($block->{text}, $_) >= 0 } keys %before;

	psql($before{$first}) if $first;
	my ($out, $err) = psql($block->{text});
	# there is no such column, and it is the other view that lacks it
	$err =~ s/^ERROR:  column "path" specified in USING clause does not exist in right table\n.*//s
	  if server_major() < 18 && index($block->{text}, $since_18) >= 0;
	is($err, '', "$block->{at}: SQL");
	is(shape($out), shape($block->{answer}), "$block->{at}: its answer") if defined $block->{answer};
	return;
}

# Lines of postgresql.conf: the server starts with them, and a default is one.
sub settings_ok
{
	my ($block) = @_;
	my @names = $block->{text} =~ /^([\w.]+) =/mg;
	my @defaults = $block->{text} =~ /^([\w.]+) = .*# the default/mg;
	my $list = sub { join(', ', map { "'$_'" } sort @_) };

	$node->append_conf('postgresql.conf', $block->{text});
	$node->restart;
	is( $node->safe_psql('postgres',
			'SELECT name FROM pg_settings WHERE sourcefile IS NOT NULL AND name IN (' . $list->(@names)
				. ') ORDER BY 1'),
		join("\n", sort @names), "$block->{at}: settings");
	is( $node->safe_psql('postgres', 'SELECT name FROM pg_settings WHERE setting <> boot_val AND name IN ('
				. $list->(@defaults, '') . ')'),
		'', "$block->{at}: what they are by default");
	return;
}

# Statements that get the errors that are shown.
my $refused = "SET jemctx.backend_memory_limit = '64MB';\n"
  . "SELECT length(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 200000);\n";
my $librarys = <<'SQL';
SELECT jemctx_test_library('malloc', 1, 1), jemctx_test_library_free(), jemctx_purge() \gset
SELECT committed / 1024 + 2048 AS kb FROM jemctx_backends WHERE pid = pg_backend_pid() \gset
SET jemctx.backend_memory_limit = :kb;
SELECT jemctx_test_library('malloc', 10000, 600) FROM generate_series(1, 2);
SQL

sub error_ok
{
	my ($block) = @_;
	my $shown = shape($block->{text});
	my $got = shape(session_output($node, $shown =~ /LIBRARY/ ? $librarys : $refused) =~ s/^psql:\S+ //gmr);

	is(substr($got, 0, length $shown), $shown, "$block->{at}: an error");
	return;
}

#
# Shells
#

# The tree, with programs in it, and others to be found first, that only note how they are called.
sub make_tree
{
	my @copied = map { glob "$ENV{TESTDIR}/$_" } qw(Makefile META.json jemctx* debian sql docs monitoring test);
	my @programs = map { "$tree/bin/$_" } qw(apt-get dpkg-buildpackage pgxn);

	mkdir "$tree/bin" or die $!;
	system_or_bail('cp', '-r', @copied, $tree);
	find(sub { push(@programs, $File::Find::name) if -f && -x }, "$tree/test");
	for my $program (@programs)
	{
		unlink $program;
		append_to_file($program,
			"#!/bin/sh\n{ printf '%s' \"\$0\"; printf '\\037%s' \"\$@\"; echo; } >>'$tree/called'\n");
		chmod(0755, $program) or die $!;
	}
	return;
}

# Carry out commands: what they print, which programs were called with what, and how it ended.
sub carry_out
{
	my ($text) = @_;
	my $out = '';
	local $ENV{PATH} = "$tree/bin:$ENV{PATH}";
	local $ENV{MAKEFLAGS} = 'n';
	local @ENV{qw(PGHOST PGPORT PGDATABASE)} = ($node->host, $node->port, 'reader');

	append_to_file("$tree/called", '');
	my $succeeded = in_directory($tree,
		sub { IPC::Run::run([ 'bash', '-e', '-o', 'pipefail', '-c', $text ], '<', \undef, '>', \$out, '2>&1') });
	my @called = map { [ split /\037/ ] } split /\n/, slurp_file("$tree/called");
	unlink "$tree/called";
	return ($out, $succeeded, @called);
}

# Packages that something of the tree installs, or is built for.
sub known_packages
{
	my $text = join(' ', map { page($_) } qw(test/setup test/packages debian/control));
	my %known = map { $_ => 1 } split /[^\w.+-]+/, $text =~ s/\$major/15/gr;

	return %known;
}

# What a program of the tests is called with is in it, or is a test.
sub wrong_arguments
{
	my ($program, @arguments) = @_;
	my $text = page($program);

	return grep {
		/^--(\w+)/ ? index($text, "--$1") < 0
		  : /^\d{3}(?:_\w+)?$/ ? !(my @found = glob "$ENV{TESTDIR}/test/t/$_*.pl")
		  : /^[a-z_]+$/ && $program =~ /^test\/(?:run|repeat)$/ ? !-f "$ENV{TESTDIR}/sql/$_.sql"
		  : 0
	} @arguments;
}

# What is wrong with how a program was called.
sub wrong_call
{
	my ($out, $program, @arguments) = @_;
	my %known = known_packages();

	return wrong_arguments($program, @arguments) if $program =~ /^test\//;
	return grep { !-f "$tree/debian/$_" } qw(control rules changelog) if $program =~ /dpkg-buildpackage$/;
	# the zip that "make dist" has said it makes
	return grep { /\// && index($out, s/.*\///r) < 0 } @arguments if $program =~ /pgxn$/;
	return grep { $_ ne 'install' && !$known{ s/^.*\/|_\*\.deb$//gr } } @arguments;
}

# Programs that make would call, which are not there; and variables that neither the Makefile nor they use.
sub wrong_make
{
	my ($text, $out) = @_;
	my @programs = uniq($out =~ /(?<![\w\/.])(test\/[\w\/]+)/g);
	my $known = join('', map { page($_) } 'Makefile', grep { -f "$ENV{TESTDIR}/$_" } @programs);
	my @variables = map { /\b([A-Z]+)=/g } $text =~ /\bmake\b([^&|;#\n]*)/g;

	return (grep({ !-e "$tree/$_" } @programs), grep { $known !~ /\$[({]?$_\b/ } @variables);
}

sub shell_ok
{
	my ($at, $text) = @_;
	my ($out, $succeeded, @called) = carry_out($text =~ s{/usr/lib/postgresql/15/bin}{$bindir}gr);

	ok($succeeded, "$at: commands") or diag $out;
	is(join(' ', wrong_make($text, $out), map { wrong_call($out, @$_) } @called), '', "$at: what they name");
	return;
}

#
# The pages
#

my %is_ok = (
	sql => \&sql_ok,
	sh => sub { my ($block) = @_; return shell_ok($block->{at}, $block->{text}); },
	# what is in C, 082_reference.pl and the compiler see to
	c => sub { return; },
	'' => sub { my ($block) = @_; return $block->{text} =~ /^ERROR:/ ? error_ok($block) : settings_ok($block); },
);

my @blocks = map { blocks($_) } @pages;
my %count;

make_tree();
$count{ $_->{language} }++ for @blocks;
is(join(' ', grep { !$is_ok{$_} } keys %count), '', 'what languages blocks are in');
cmp_ok($count{$_} // 0, '>', 3, "there are blocks of \"$_\"") for sort keys %is_ok;
for my $block (grep { $_->{section} ne $needs_checks || $_->{language} ne 'sql' } @blocks)
{
	$is_ok{ $block->{language} }->($block);
}

my ($profile) = grep { $_->{text} =~ /flamegraph/ } @blocks;
like(slurp_file("$tree/heap.svg"), qr/<title>tuplesort_\w+ of postgres: \d{7,} bytes/,
	"$profile->{at}: where memory is");

for my $page (@pages, 'docs/measurements.md')
{
	for my $span (spans($page))
	{
		shell_ok("$page: $span", $span)
		  if $span =~ /^(?:[A-Z_]+=\S+ )*(?:make \S|test\/\w|pgxn |apt-get |dpkg-buildpackage)/
			  && !-d "$tree/$span" && $span !~ /^\S+\.\w+$/;
	}
}

# All that is said to be in the tree, of what the copy has of it.
my @files = uniq(map { page($_) =~ /(?<![\w\/.-])((?:test|sql|docs)\/[\w\/.]*\w)/g } @pages);
is(join(' ', grep { !-e "$tree/$_" } @files), '', 'files that are named');
cmp_ok(scalar @files, '>', 5, 'which are many');

#
# Names
#

# Names of the server's, one a line.
sub names
{
	my ($sql) = @_;

	return map { $_ => 1 } split /\n/, $node->safe_psql('reader', $sql);
}

sub settings
{
	return names(q(SELECT name FROM pg_settings WHERE name LIKE 'jemctx.%'));
}

my %settings = settings();
my %names = (
	names(q(SELECT relname FROM pg_class UNION SELECT proname FROM pg_proc UNION SELECT name
		FROM pg_available_extensions)),
	map { $_ => 1 } page('jemctx.h') =~ /\b(jemctx_?\w+)/gi,
	map { page(s{^\Q$ENV{TESTDIR}\E/}{}r) =~ /\b(JEMCTX_\w+)/g } glob("$ENV{TESTDIR}/test/t/*.pl"));
my %columns = names(q(SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid));

{
	local $ENV{PATH} = "$with_checks:$ENV{PATH}";

	# a restart would be of the program that runs
	$node->stop;
	$node->start;
	sql_ok($_) for grep { $_->{section} eq $needs_checks && $_->{language} eq 'sql' } @blocks;
	%settings = (%settings, settings());
	%names = (%names, names('SELECT proname FROM pg_proc'));
}
$node->stop;

for my $page (@pages)
{
	my $text = page($page);
	my @settings = $text =~ /(?<![\w.\/-])(jemctx\.(?!(?:[chs]o?|control)\b)\w+)/g;
	my @names = $text =~ /(?<![\w.\/-])(jemctx_?[a-z]\w+)/gi;
	my @columns = $text =~ /(?<![\w.\/-])(jemctx_\w+\.(?!(?:[ch]|so|pl)\b)\w+)/g;

	is(join(' ', uniq(grep { !$settings{$_} } @settings)), '', "$page: settings");
	is(join(' ', uniq(grep { !$names{$_} } @names)), '', "$page: names");
	is(join(' ', uniq(grep { !$columns{$_} } @columns)), '', "$page: columns");
}

done_testing();
