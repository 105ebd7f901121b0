# Memory runs out, on purpose: in a checking build every n-th request for pages
# fails, while the files of sql/ run.  A statement must answer as ever, or be
# refused memory and answer as ever when it is run again.  pg_regress compares
# whole files.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

use_variant('checking');

my $node = new_node('main', "max_parallel_workers_per_gather = 0\nfsync = off\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');
my $postmaster = postmaster_pid($node);
my $refused = 0;

# The statements of a file, with their \gset, and psql's own commands.
sub statements
{
	my ($name) = @_;
	my @statements;
	my $statement = '';

	for my $line (split /^/, slurp_file("$ENV{TESTDIR}/sql/$name.sql"))
	{
		next if $statement eq '' && $line =~ /^(--|\s*$)/;
		$statement .= $line;
		my $quotes = () = $statement =~ /\$\$/g;
		next if $quotes % 2 == 1 || $line !~ /(;|\\gset( \w+)?)\s*$|^\\/;
		push(@statements, $statement);
		$statement = '';
	}
	die "$name.sql: not a whole statement: $statement" if $statement ne '';
	return @statements;
}

# psql in a database of its own, which has the extensions.
sub start_session
{
	$node->safe_psql('template1', 'DROP DATABASE IF EXISTS scratch WITH (FORCE)');
	# a session that has just ended may still be in it
	poll(sub { $node->psql('template1', 'CREATE DATABASE scratch TEMPLATE postgres') == 0 }) or die 'no database';
	my $session = { in => '', out => '' };
	$session->{psql} = IPC::Run::start(
		[ 'psql', '-Xq', '-v', 'ON_ERROR_ROLLBACK=on', '-d', $node->connstr('scratch') ],
		'<', \$session->{in}, '>', \$session->{out}, '2>&1', IPC::Run::timeout(600));
	return $session;
}

# Run a statement while every n-th request fails (0: none); what it prints,
# and its SQLSTATE. A purge makes that it needs pages.
sub run_statement
{
	my ($session, $statement, $n) = @_;
	my $off = "SET jemctx.debug_fail_extents = 0;\n";

	$session->{out} = '';
	# to unset it may be refused memory once, too
	$session->{in} = "SELECT jemctx_purge() \\gset ignored_\nSET jemctx.debug_fail_extents = $n;\n\\echo begin\n"
		. "$statement\n\\echo state :SQLSTATE\n$off$off\\echo done :SQLSTATE\n";
	$session->{psql}->pump until $session->{out} =~ /^done \w+$/m;
	$session->{out} =~ /^begin\n(.*?)^state (\w+)\n(.*)^done (\w+)$/ms or die "no state: $session->{out}";
	$4 eq '00000' or die "memory is still refused: $3";
	return ($1, $2);
}

# What PostgreSQL says when memory is refused, by state. The scanner of its configuration, and of what describes an
# extension, has its memory from malloc, and errors of its own.
my %refusals = (
	53200 => qr/ERROR:  out of memory/,
	XX000 => qr/ERROR:  (?:yylex_init\(\) failed: Cannot allocate memory|out of dynamic memory in yy_\w+\(\))/);

sub is_refused
{
	my ($answer, $state) = @_;

	return $state eq '53200' || ($refusals{$state} && $answer =~ $refusals{$state});
}

# Each statement's answer; refused ones are run again.
sub run_file
{
	my ($name, $n) = @_;
	my $session = start_session();
	my (@answers, @wrong);

	for my $statement (statements($name))
	{
		my ($answer, $state) = run_statement($session, $statement, $n);

		if (is_refused($answer, $state))
		{
			$refused++;
			push(@wrong, $answer) if $answer !~ $refusals{$state};
			($answer, $state) = run_statement($session, $statement, 0);
		}
		push(@answers, "$statement$answer");
	}
	$session->{in} = "\\q\n";
	$session->{psql}->finish;
	return (\@answers, \@wrong);
}

# What a statement that tells figures says depends on what was tried before; so does whether one purges anything, which
# may have done so before it was refused.
my $figures = qr/allocated|committed|dirty|retained|curregs|taken|after_chunks|jemctx_purge\(\) > 0/;

for my $name (
	qw(transient persistent torture contexts cache errors example info arenas bins purge stats settings privileges))
{
	my ($expected) = run_file($name, 0);

	for my $n (1, 3)
	{
		my ($answers, $wrong) = run_file($name, $n);
		my @different = grep { $answers->[$_] ne $expected->[$_] && $expected->[$_] !~ $figures } 0 .. $#$expected;

		is(join("\n", @$wrong), '', "$name, every $n: errors are for want of memory");
		is(join("\n", map { $answers->[$_] } @different), join("\n", map { $expected->[$_] } @different),
			"$name, every $n: answers are right");
	}
}
cmp_ok($refused, '>', 50, "statements were refused memory ($refused)");

# Nothing is lost when memory is refused, again and again, at all places.
# (hash_create() of PostgreSQL has an error of its own for it.)
my $leaks = $node->safe_psql('postgres', q(
	CREATE FUNCTION jemctx_debug_check() RETURNS int AS '$libdir/jemctx' LANGUAGE C STRICT;
	CREATE FUNCTION refuse(times int) RETURNS int LANGUAGE plpgsql AS $$
	DECLARE
		calls text[] := '{sizes,callbacks,parents,empty,list,string,parse_tree,stats}';
		refused int := 0;
	BEGIN
		FOR i IN 1..times LOOP
			BEGIN
				PERFORM jemctx_purge();
				PERFORM set_config('jemctx.debug_fail_extents', (i % 6 + 1)::text, false);
				EXECUTE format('SELECT jemctx_test_%s(%L)', calls[i % 8 + 1],
					CASE i / 8 % 2 WHEN 0 THEN 'persistent' ELSE 'transient' END);
				PERFORM set_config('jemctx.debug_fail_extents', '0', false);
			EXCEPTION WHEN out_of_memory THEN
				refused := refused + 1;
			END;
		END LOOP;
		PERFORM set_config('jemctx.debug_fail_extents', '0', false);
		PERFORM jemctx_purge();
		RETURN refused;
	END $$;
	CREATE TEMP TABLE figures AS SELECT 0 AS n, name, allocated FROM jemctx_arenas WHERE false;
	SELECT refuse(48) BETWEEN 5 AND 47;
	INSERT INTO figures SELECT 1, name, allocated FROM jemctx_arenas;
	SELECT refuse(96) BETWEEN 10 AND 95;
	INSERT INTO figures SELECT 2, name, allocated FROM jemctx_arenas;
	SELECT name, max(allocated) - min(allocated) < 50000 FROM figures WHERE name <> 'process' GROUP BY name
		ORDER BY name;
	SELECT jemctx_debug_check();
));
is($leaks, "t\nt\npersistent|t\ntransient|t\n0", 'nothing is lost where memory is refused');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|terminating any other/, 'no process crashed');
is(postmaster_pid($node), $postmaster, 'the postmaster is the same');
regress_ok($node, 'afterwards', qw(info contexts cache errors example));
$node->stop;

done_testing();
