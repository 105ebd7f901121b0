# Meet limits of memory in the middle of libraries; see test/libraries.
#
# Each case is a statement, carried out in a session of its own at limits from what a session
# has at its start up to what the statement needs; with the default headroom for libraries, with
# nearly none, and on a server that others have filled.  Allowed are the right result, an
# error 53200, and a session that ends with FATAL 53200 because a library has used up its headroom;
# a session that goes on must then have the right result without a limit.  A restart of the server, another
# result or error, and a session that is broken afterwards are failures.
use strict;
use warnings;

use List::Util qw(max min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my ($limits, @wanted) = @ARGV;
$limits ||= 64;

my $node = new_node('main', <<'CONF');
max_parallel_workers_per_gather = 0
jit = off
log_min_messages = log
log_statement = none
restart_after_crash = on
jemctx.reserved_memory = 0
CONF
my $csv = $node->data_dir . '/places.csv';

my $points = 'FROM (SELECT ST_SetSRID(ST_MakePoint(10 + i % 100 * 0.1, 45 + i * 0.002), 4326) AS p, i
	FROM generate_series(1, 2000) i) s';
my $transform = "SELECT md5(string_agg(ST_AsEWKT(ST_Transform(p, 32632 + i % 3), 2), ',' ORDER BY i)) $points";
my $asmvt = "SELECT md5(ST_AsMVT(t, 'layer'))
	FROM (SELECT ST_AsMVTGeom(ST_Transform(p, 3857), ST_MakeEnvelope(0, 0, 3000000, 9000000, 3857)) AS geom, i
	$points) t";
my $buffer = "SELECT round(ST_Area(ST_Union(ST_Buffer(p, 0.05, 16)))::numeric, 6) $points WHERE i <= 400";
my $xml = "'<r>' || repeat('<a b=\"c\">text</a>', 20000) || '</r>'";
my $jit = 'SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0';

# Name, what makes what the statement needs, the statement, and what a session begins with.
my @cases = (
	[ 'pltcl', 'CREATE EXTENSION pltcl; CREATE FUNCTION tcl(int) RETURNS int LANGUAGE pltcl AS $$
		set l {}; for {set i 0} {$i < $1} {incr i} {lappend l "item $i"}; return [string length [join $l ,]] $$',
		'SELECT tcl(50000)' ],
	[ 'plperl', 'CREATE EXTENSION plperl; CREATE FUNCTION perl(int) RETURNS int LANGUAGE plperl AS $$
		return length(join(",", map { "item $_" } 1 .. $_[0])) $$',
		'SELECT perl(50000)' ],
	[ 'plperl, child', 'CREATE EXTENSION plperlu; CREATE FUNCTION perl_child(int) RETURNS text LANGUAGE plperlu AS $$
		pipe(my $in, my $out); my $pid = fork;
		if (!$pid) { my $s = join(",", map { "item $_" } 1 .. $_[0]); syswrite($out, length($s));
			require POSIX; POSIX::_exit(0) }'
		. ' close $out; my $n = <$in>; waitpid($pid, 0); return "$n, $?" $$',
		'SELECT perl_child(500000)' ],
	[ 'plpython', 'CREATE EXTENSION plpython3u; CREATE FUNCTION python(n int) RETURNS int LANGUAGE plpython3u AS $$
return len(",".join(["x" * 1000 + str(i) for i in range(n)])) $$',
		'SELECT python(8000)' ],
	[ 'pllua', 'CREATE EXTENSION pllua; CREATE FUNCTION lua(n int) RETURNS int LANGUAGE pllua AS $$
		local t = {} for i = 1, n do t[i] = "item " .. i end return #table.concat(t, ",") $$',
		'SELECT lua(50000)' ],
	[ 'transform', 'CREATE EXTENSION IF NOT EXISTS postgis', $transform ],
	[ 'asmvt', 'CREATE EXTENSION IF NOT EXISTS postgis', $asmvt ],
	[ 'buffer', 'CREATE EXTENSION IF NOT EXISTS postgis', $buffer ],
	[ 'transform, JIT', 'CREATE EXTENSION IF NOT EXISTS postgis', $transform, $jit ],
	[ 'asmvt, JIT', 'CREATE EXTENSION IF NOT EXISTS postgis', $asmvt, $jit ],
	[ 'buffer, JIT', 'CREATE EXTENSION IF NOT EXISTS postgis', $buffer, $jit ],
	[ 'ogr_fdw', "CREATE EXTENSION ogr_fdw; CREATE SERVER places FOREIGN DATA WRAPPER ogr_fdw
		OPTIONS (datasource '$csv', format 'CSV');"
		. "CREATE FOREIGN TABLE places (name text, x text) SERVER places OPTIONS (layer 'places');
			GRANT SELECT ON places TO plain",
		'SELECT count(*), md5(string_agg(name || x, \',\')) FROM places' ],
	[ 'well-formed', '', "SELECT xml_is_well_formed($xml)" ],
	[ 'xpath', '', "SELECT count(*) FROM (SELECT unnest(xpath('//a', xmlparse(document $xml)))) s" ],
	[ 'xslt', 'CREATE EXTENSION xml2', "SELECT length(xslt_process($xml, '"
		. "<xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\">"
		. "<xsl:output method=\"xml\"/><xsl:template match=\"r\"><s>"
		. "<xsl:for-each select=\"a\"><t><xsl:value-of select=\"\@b\"/></t></xsl:for-each></s>"
		. "</xsl:template></xsl:stylesheet>'))" ],
	[ 'ICU', '', q{SELECT md5(string_agg(v, ',' ORDER BY v COLLATE "de-x-icu", v COLLATE "sv-x-icu")),
		max(upper(v COLLATE "tr-x-icu"))
		FROM (SELECT md5(i::text) || chr(200 + i % 50) AS v FROM generate_series(1, 20000) i) s} ],
	[ 'pgcrypto', 'CREATE EXTENSION pgcrypto',
		"SELECT md5(pgp_sym_decrypt(pgp_sym_encrypt(repeat('jemctx', 200000), 'secret', 'compress-algo=1'),
		'secret')), crypt('secret', '\$1\$saltsalt'), encode(digest(repeat('x', 100000), 'sha512'), 'hex')" ],
	[ 'pcre', 'CREATE EXTENSION pgpcre', q{SELECT count(*) FROM generate_series(1, 5000) i
		WHERE md5(i::text) ~ ('^(?:[0-9a-f]{4})*?' || i % 100 || '(?=[a-f])')::pcre} ],
);
@cases = grep { my $name = $_->[0]; grep { $name =~ /^\Q$_\E/ } @wanted } @cases if @wanted;

my $observer;
my %counts;
my $restarts = 0;

sub write_csv
{
	open(my $file, '>', $csv) or die $!;
	print $file "name,x\n", map { "place $_," . $_ * 7 . "\n" } 1 .. 20000;
	close $file or die $!;
	return;
}

sub plain_session
{
	my ($case) = @_;
	my $session = session($node, connstr => $node->connstr('postgres') . ' user=plain');

	query($session, '\set VERBOSITY verbose');
	return $session;
}

# What a session begins with loads no library yet.
sub begin_with
{
	my ($case, $session) = @_;

	query($session, $case->[3]) if $case->[3];
	return;
}

sub is_alive
{
	my ($session) = @_;

	return query($session, 'SELECT 1') eq '1';
}

# What has become of a statement.
sub outcome
{
	my ($text, $right) = @_;

	return 'right' if $text eq $right;
	return 'ended' if $text =~ /FATAL:  53200: out of memory\nDETAIL:  .*libraries may have beyond/;
	return 'refused' if $text =~ /ERROR:  53200: / && $text !~ /FATAL|server closed/;
	return 'other';
}

# Has the server restarted since the log was so long?  A session that is gone without a word is waited for.
sub has_restarted
{
	my ($offset, $is_gone) = @_;
	my $restart = sub { slurp_file($node->logfile, $offset) =~ /terminated by signal|PANIC/ };

	return 0 if !($is_gone ? poll($restart, 60) : $restart->());
	wait_for_recovery($node, $offset);
	close_session($observer);
	$observer = session($node);
	return 1;
}

# One statement at one limit, which enter() sets and leave() takes away.
sub meet
{
	my ($what, $case, $right, $session, $leave) = @_;
	my $offset = -s $node->logfile;
	my $text = query($session, $case->[2]);
	my $result = outcome($text, $right);
	my $again = '';

	$result = 'restart' if has_restarted($offset, $text =~ /server closed/ && $text !~ /FATAL/);
	$leave->();
	if ($text !~ /FATAL|server closed|connection to server was lost/)
	{
		$again = query($session, $case->[2]);
		$result = 'broken' if $again ne $right;
		$result = 'restart' if has_restarted($offset, $again =~ /server closed/ && $again !~ /FATAL/);
	}
	close_session($session);
	$counts{$what}{$result}++;
	diag "$case->[0]: $result:\n$text\n-- again:\n$again" if $result =~ /other|broken|restart/;
	return;
}

# The least limit, in kB. It follows what the postmaster has, so a session that begins later has another.
sub least_limit
{
	my ($session) = @_;
	my ($least) = query($session, "SET jemctx.backend_memory_limit = '1kB'") =~ /less than (\d+) kB/;

	return $least // 0;
}

# What a session holds, what the statement needs, and the result.
sub measure
{
	my ($case) = @_;
	my $session = plain_session($case);
	my $base = int(backend($observer, $session, 'committed') / 1024);
	begin_with($case, $session);
	my $right = query($session, $case->[2]);
	my $peak = int(backend($observer, $session, 'committed_peak') / 1024);
	my $low = max($base, least_limit($session));

	close_session($session);
	return ($low, max($peak, $low + 1024), $right);
}

sub steps
{
	my ($low, $high, $count) = @_;

	return map { int($low + ($high - $low) * $_ / ($count - 1)) } 0 .. $count - 1;
}

# Limits of the session's own; its transaction takes the limit along when it ends.
sub own_limits
{
	my ($what, $case, $headroom, $low, $high, $right, $count) = @_;

	for my $step (steps($low, $high, $count))
	{
		my $session = plain_session($case);
		my $limit = max($step, least_limit($session));
		begin_with($case, $session);
		query($session, "SET jemctx.library_headroom = '$headroom'");
		query($session, 'BEGIN');
		my $answer = query($session, "SET LOCAL jemctx.backend_memory_limit = '${limit}kB'");
		BAIL_OUT("limit of $limit kB: $answer") if $answer ne '';
		meet($what, $case, $right, $session, sub { query($session, 'ROLLBACK') });
	}
	return;
}

sub set_server_limit
{
	my ($limit) = @_;

	query($observer, "ALTER SYSTEM SET jemctx.server_memory_limit = '${limit}kB'");
	query($observer, 'SELECT pg_reload_conf()');
	poll(sub { query($observer, 'SHOW jemctx.server_memory_limit') =~ /^[1-9]/ == ($limit > 0) }) or die 'no reload';
	return;
}

# Limits of the server, which others have filled: so much is left.
sub server_limits
{
	my ($what, $case, $low, $high, $right, $count) = @_;

	for my $left (steps(0, $high - $low, $count))
	{
		my $session = plain_session($case);
		begin_with($case, $session);
		set_server_limit($left + int(query($observer, 'SELECT committed / 1024 FROM jemctx_server')));
		meet($what, $case, $right, $session, sub {
			set_server_limit(0);
			poll(sub { query($session, 'SHOW jemctx.server_memory_limit') eq '0' }) if pump_possible($session);
		});
	}
	return;
}

sub pump_possible
{
	my ($session) = @_;

	return $session->{psql}->pumpable && is_alive($session);
}

# What dies says so where the results are.
$SIG{__DIE__} = sub { diag @_ };
write_csv();
$node->start;
$observer = session($node);
query($observer, 'CREATE ROLE plain LOGIN');
query($observer, "GRANT SET ON PARAMETER jemctx.$_ TO plain") for qw(backend_memory_limit library_headroom);
my $hog = session($node);
query($hog, q(BEGIN; DECLARE c CURSOR FOR SELECT md5(i::text) FROM generate_series(1, 300000) i ORDER BY 1;
	SET LOCAL work_mem = '100MB'; MOVE 1 IN c));

for my $case (@cases)
{
	my ($name, $setup) = @$case;

	$node->safe_psql('postgres', $setup) if $setup;
	my ($low, $high, $right) = measure($case);
	ok($right !~ /ERROR|FATAL/ && length $right, "$name: has a result") or diag $right;
	my %ways = (
		"$name, limits" => sub { own_limits($_[0], $case, '64MB', $low, $high + 512, $right, $limits) },
		"$name, little headroom" => sub { own_limits($_[0], $case, '256kB', $low, $high, $right,
			max(int($limits / 4), 2)) },
		"$name, full server" => sub { server_limits($_[0], $case, $low, $high, $right, max(int($limits / 8), 2)) });
	for my $what (sort keys %ways)
	{
		$ways{$what}->($what);
		my %count = (map { $_ => $counts{$what}{$_} // 0 } qw(right refused ended other broken restart));
		ok( $count{other} + $count{broken} + $count{restart} == 0,
			"$what, $low to $high kB: "
			  . join(', ', map { "$count{$_} $_" } qw(right refused ended other broken restart)));
		is($count{ended}, 0, "$what: no session ended within the headroom")
		  if $what !~ /little/ && $high - $low <= 64 * 1024;
	}
}
$node->stop;

done_testing();
