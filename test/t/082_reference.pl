# The pages that say what settings, views and functions there are say what the server says: the
# reference word for word, the README's tables by name and default; and the example is the one that is
# tested.  pg_regress compares the server with expected/ only.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main');

# A page of the tree, of which test/run makes a copy.
sub page
{
	my ($name) = @_;

	return slurp_file("$ENV{TESTDIR}/$name");
}

# The first cells of the rows of a section's tables that begin with a name.
sub rows
{
	my ($page, $heading, $cells) = @_;
	my ($section) = page($page) =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;

	return $section =~ /^\| *(`(?:[^|\n]*\|){$cells})/mg;
}

$node->start;
# psql's own messages are no part of what it prints
my ($out, $err) = ('', '');
my @psql = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'));
IPC::Run::run([ @psql, '-f', "$ENV{TESTDIR}/test/reference.sql" ], '<', \undef, '>', \$out, '2>', \$err);
is($err, '', 'the server describes itself');
is($out, page('docs/reference.md'), 'as docs/reference.md does')
  or diag 'If the server is right, "make reference" writes docs/reference.md anew.';

my $settings = $node->safe_psql('postgres',
	q(SELECT concat_ws(' ', '`' || name || '`', '`' || nullif(current_setting(name), '') || '`')
	  FROM pg_settings WHERE name LIKE 'jemctx.%' AND name NOT LIKE 'jemctx.debug%' ORDER BY name COLLATE "C"));
my @settings = map { join(' ', split /[ |]+/) } rows('README.md', 'Settings', 2);
is(join("\n", sort @settings), $settings, 'all settings, and their defaults, are in README.md');

my $objects = $node->safe_psql('postgres', q(
	SELECT DISTINCT coalesce(relname, proname) FROM pg_depend
	LEFT JOIN pg_class c ON c.oid = objid AND classid = 'pg_class'::regclass
	LEFT JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass AND proname NOT LIKE 'jemctx\_get\_%'
	WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx') AND deptype = 'e'
		AND coalesce(relname, proname) IS NOT NULL));
my %named = map { $_ => 1 } map { /(jemctx_\w+)/g } map { rows('README.md', $_, 1) } 'Monitoring', 'Functions';
is(join("\n", sort keys %named), join("\n", sort split /\n/, $objects), 'all views and functions are in README.md');

$node->stop;

my ($example) = page('docs/contexts.md') =~ /^```c\n(PG_FUNCTION_INFO_V1.*?)^```/ms;
my $tested = page('test/modules/jemctx_test/example.c');
cmp_ok(index($tested, $example), '>', 0, 'the example of docs/contexts.md is in example.c');

done_testing();
