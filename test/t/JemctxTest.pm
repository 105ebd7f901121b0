# What the TAP tests of jemctx share: servers with jemctx, started as users
# start them, and a session's answers.
package JemctxTest;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use IPC::Run;
use List::Util qw(sum);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use lib dirname(__FILE__) . '/..';
use Session qw(start_session send_query is_answered has_ended close_session pid_of);

our @EXPORT = qw(server_major parallel_setting new_node info fails_to_start in_directory committed_is_exact
	use_variant regress_ok pgbench_ok
	postmaster_pid wait_until_accepts wait_for_recovery session_output session query send_query answer
	is_answered close_session pid_of backend poll waits_at anonymous_kb huge_page_mb big_sort big_sorts nobody_died
	compile_library other_jemalloc);

# How long a state is waited for, and how long one answer: for a machine that is busy with
# something else, and never what a test measures.
my $deadline = 180;
my $answer_deadline = 600;

# The same for pg_ctl, which gives up after a minute.
$ENV{PGCTLTIMEOUT} = $answer_deadline;

# A program that ends before it has read what it is asked is told by what it says.
$SIG{PIPE} = 'IGNORE';

# Servers are stopped at the end of the file, also when that is early.
$SIG{$_} = sub { die 'ended by a signal' } for qw(TERM INT HUP);

# A cluster with jemctx preloaded and the extension created, not running.  Autovacuum would change
# figures and caches under the tests' hands; those that want it turn it on.
sub new_node
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'jemctx'\nautovacuum = off\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION jemctx');
	$node->stop;
	# a session that had not ended is told so there, or not
	truncate($node->logfile, 0) or die $!;
	$node->append_conf('postgresql.conf', $conf) if defined $conf;
	return $node;
}

# Which PostgreSQL is tested.
sub server_major
{
	my ($major) = `postgres --version` =~ / (\d+)/ or die 'postgres does not say its version';

	return $major;
}

# The setting that has statements executed by parallel workers.
sub parallel_setting
{
	return server_major() < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
}

# A value of jemctx_info.
sub info
{
	my ($node, $name) = @_;

	return $node->safe_psql('postgres', "SELECT value FROM jemctx_info WHERE name = '$name'");
}

sub postmaster_pid
{
	my ($node) = @_;
	my ($pid) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');

	return $pid;
}

# Try until the code returns true; false when it has not for a long time.
sub poll
{
	my ($code, $seconds) = @_;
	my $end = time + ($seconds // $deadline);

	while (1)
	{
		return 1 if $code->();
		return 0 if time > $end;
		sleep 0.05;
	}
}

# A server that something else than $node->start has started, or that has crashed, takes
# connections.  The question is no input of psql: that ends before it reads any when it is refused.
sub wait_until_accepts
{
	my ($node, $seconds) = @_;
	my @command = ('psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SELECT 1');
	my ($out, $err) = ('', '');

	poll(sub { IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err) }, $seconds)
	  or die "the server does not accept connections: $err\n" . slurp_file($node->logfile);
	return;
}

# A process has died since the log was so long: the server has noticed, and starts over.
sub wait_for_recovery
{
	my ($node, $offset) = @_;

	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	wait_until_accepts($node);
	return;
}

# Run code in a directory.
sub in_directory
{
	my ($directory, $code) = @_;
	my $back = abs_path('.');

	chdir $directory or die "cannot go to $directory: $!";
	my @result = $code->();
	chdir $back or die "cannot go back to $back: $!";
	return wantarray ? @result : $result[0];
}

# Use programs of a server with another build of jemctx, which test/run has made.
sub use_variant
{
	my ($name) = @_;
	my $directory = ($ENV{BUILD_VARIANTS} // '') . "/$name/bin";

	plan skip_all => "test/run has not built the variant \"$name\"" if !-x "$directory/postgres";
	$ENV{PATH} = "$directory:$ENV{PATH}";
	return;
}

# Run tests of sql/ on a running server; each counts.
sub regress_ok
{
	my ($node, $what, @names) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my @arguments = @names;
	my ($out, $passed) = ('', 0);

	# the test that creates the extensions may not be among them
	unshift(@arguments, '--load-extension=jemctx', '--load-extension=jemctx_test') if !grep { $_ eq 'info' } @names;
	IPC::Run::run(
		[   $ENV{PG_REGRESS}, "--inputdir=$ENV{TESTDIR}", "--outputdir=$directory", '--bindir=',
			'--host=' . $node->host, '--port=' . $node->port, @arguments ],
		'>', \$out, '2>&1');
	for my $name (@names)
	{
		# as pg_regress says it until 15, and from 16 on
		my $says_ok = qr/^(?:(?:test|    ) *\Q$name\E +\.\.\. ok|ok \d+ +[-+] \Q$name\E )/m;
		$passed += ok($out =~ $says_ok, "$what: $name") ? 1 : 0;
	}
	diag $out, -s "$directory/regression.diffs" ? slurp_file("$directory/regression.diffs") : () if $passed < @names;
	return;
}

# pgbench comes to its end.
sub pgbench_ok
{
	my ($what, @arguments) = @_;
	my $out = '';

	ok(IPC::Run::run([ 'pgbench', '-n', @arguments ], '<', \undef, '>', \$out, '2>&1',
		IPC::Run::timeout($answer_deadline)), $what)
	  or diag $out;
	return;
}

# All that psql prints, messages too, for some statements in one session.
sub session_output
{
	my ($node, $sql) = @_;
	my $out = '';

	IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', '-' ], '<', \$sql, '>', \$out, '2>&1',
		IPC::Run::timeout($answer_deadline));
	return $out;
}

# The server must not start, once, and say why in its log.
sub fails_to_start
{
	my ($node, $conf, $what, @messages) = @_;

	unlink $node->logfile;
	my $file = $node->data_dir . '/postgresql.conf';
	my $original = slurp_file($file);
	$node->append_conf('postgresql.conf', $conf);
	is($node->start(fail_ok => 1), 0, "$what: does not start");
	my $log = slurp_file($node->logfile);
	like($log, $_, "$what: says $_") for @messages;
	unlike($log, qr/starting PostgreSQL|terminated by signal/, "$what: ends at once");
	open(my $handle, '>', $file) or die $!;
	print $handle $original;
	close $handle;
	return;
}

# Our count of committed memory is jemalloc's, to the byte.
sub committed_is_exact
{
	my ($node, $what) = @_;

	is( $node->safe_psql(
			'postgres', q(
			SELECT count(*) FILTER (WHERE committed = active + dirty), count(*) FROM jemctx_arenas
			WHERE name IN ('process', 'persistent'))),
		'2|2', "$what: committed is active and dirty");
	return;
}

# No process has ended in another way than PostgreSQL's.
sub nobody_died
{
	my ($node, $what) = @_;

	unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|all server processes terminated/,
		$what // 'no process has died');
	return;
}

# Make a library of that C in a directory; its file.
sub compile_library
{
	my ($directory, $name, $source) = @_;

	append_to_file("$directory/$name.c", $source);
	system_or_bail('cc', '-shared', '-fPIC', '-o', "$directory/$name.so", "$directory/$name.c");
	return "$directory/$name.so";
}

# The C of a library that has jemalloc's functions, and does no more than say which jemalloc it is.
sub other_jemalloc
{
	my ($version, $has_statistics) = @_;

	return <<"SOURCE";
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
int mallctl(const char *name, void *oldp, size_t *oldlenp, void *newp, size_t newlen)
{
	if (strcmp(name, "version") == 0)
		*(const char **) oldp = "$version";
	else if (strcmp(name, "config.stats") == 0)
		*(bool *) oldp = $has_statistics;
	else
		return 2;
	return 0;
}
void mallocx(void) {}
void rallocx(void) {}
void xallocx(void) {}
void sallocx(void) {}
void dallocx(void) {}
void nallocx(void) {}
void malloc_stats_print(void) {}
SOURCE
}

#
# Sessions that stay connected
#

# A session that cannot be had says so in its answers.
sub session
{
	my ($node, %params) = @_;

	return start_session([ 'psql', '-XAtq', '-d', $params{connstr} // $node->connstr('postgres') ],
		node => $node, deadline => $answer_deadline);
}

# What a session answers. Where it took too long, the test's output has it.
sub answer
{
	my ($session) = @_;
	my $answer = Session::answer($session);

	diag 'no answer: ' . has_ended($session) if (has_ended($session) // '') =~ /time/;
	return $answer;
}

sub query
{
	my ($session, $sql) = @_;

	send_query($session, $sql);
	return answer($session);
}

# A column of jemctx_backends for a session, as the session $observer sees it.
sub backend
{
	my ($observer, $session, $column) = @_;
	my $pid = pid_of($session);

	return query($observer, "SELECT $column FROM jemctx_backends WHERE pid = $pid");
}

# Does a session come to wait for that?  After a statement's end it is for its client, ClientRead: what it does when
# the client has its answer already is done then.
sub waits_at
{
	my ($observer, $session, $event) = @_;
	my $pid = pid_of($session);

	return poll(sub { query($observer, "SELECT wait_event FROM pg_stat_activity WHERE pid = $pid") eq $event });
}

# Memory of its own that a process has, in kB.
sub anonymous_kb
{
	my ($pid) = @_;

	return slurp_file("/proc/$pid/smaps_rollup") =~ /^Anonymous: +(\d+) kB/m ? $1 : die;
}

# MB of the mappings of a session that the kernel is to have huge pages for, and of those that it has.
sub huge_page_mb
{
	my ($session) = @_;
	my $smaps = slurp_file('/proc/' . pid_of($session) . '/smaps');
	my @mappings = grep { /^VmFlags:.* hg/m } split /^(?=[0-9a-f]+-[0-9a-f]+ )/m, $smaps;

	return map { my $what = $_; sum(0, map { /^$what: +(\d+)/m } @mappings) / 1024 } qw(Size AnonHugePages);
}

# A statement that takes some 65 MB and gives them back: few rows, and long ones, since it is carried out often.
sub big_sort
{
	return "SET work_mem = '64MB'; SELECT count(*) FROM (SELECT md5(g::text) || repeat('x', 2200) m
		FROM generate_series(1, 26000) g ORDER BY m) s;";
}

# As many of them as are needed for what they give back to be kept for others.
sub big_sorts
{
	return join(' ', map { big_sort() } 1 .. 3);
}

1;
