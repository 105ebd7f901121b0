# The pages that say what settings, views and functions there are say what the server says: the
# reference word for word, the README's tables by name and default.  pg_regress compares the server
# with expected/ only.
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

# The first cells of the rows of a section's table, as they are, and the names in them.
sub table
{
	my ($page, $heading) = @_;
	my ($section) = page($page) =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;

	return $section =~ /^\| *(`.*?) *\|/mg;
}

$node->start;
# psql's own messages are no part of what it prints
my ($out, $err) = ('', '');
IPC::Run::run(
	[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', "$ENV{TESTDIR}/test/reference.sql" ],
	'<', \undef, '>', \$out, '2>', \$err);
is($err, '', 'the server describes itself');
is($out, page('docs/reference.md'), 'as docs/reference.md does')
  or diag 'If the server is right, "make reference" writes docs/reference.md anew.';

# settings, with their defaults
my $settings = $node->safe_psql('postgres',
	q(SELECT format('`%s` | %s', name, '`' || nullif(current_setting(name), '') || '`')
	  FROM pg_settings WHERE name LIKE 'jemctx.%' AND name NOT LIKE 'jemctx.debug%' ORDER BY name COLLATE "C"));
my ($section) = page('README.md') =~ /^## Settings\n(.*?)(?=^## )/ms;
my @settings = map { s/ *$//r } $section =~ /^\| *(`jemctx\.\w+` \|[^|]*)\|/mg;
is(join("\n", map { s/ *\| */ | /r } sort @settings), join("\n", map { s/ +$/ /r } split /\n/, $settings), 'all settings, and their defaults, are in README.md');

# views and functions
my $objects = $node->safe_psql('postgres', q(
	SELECT DISTINCT coalesce(relname, proname) FROM pg_depend
	LEFT JOIN pg_class c ON c.oid = objid AND classid = 'pg_class'::regclass
	LEFT JOIN pg_proc p ON p.oid = objid AND classid = 'pg_proc'::regclass AND proname NOT LIKE 'jemctx\_get\_%'
	WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jemctx') AND deptype = 'e'
		AND coalesce(relname, proname) IS NOT NULL));
my %named = map { $_ => 1 } map { /(jemctx_\w+)/g } table('README.md', 'Monitoring'), table('README.md', 'Functions');
is(join("\n", sort keys %named), join("\n", sort split /\n/, $objects), 'all views and functions are in README.md');

$node->stop;
done_testing();
