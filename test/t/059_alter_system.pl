# ALTER SYSTEM must not take what the next start would refuse.  pg_regress
# cannot restart its server.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main');
my $directory = $node->basedir;
my $file = $node->data_dir . '/postgresql.auto.conf';

sub write_library
{
	return compile_library($directory, @_);
}

my $empty = write_library('empty', 'int nothing;');
my $crash = write_library('crash', '#include <stdlib.h>
__attribute__((constructor)) static void start(void) { abort(); }');
my $leave = write_library('leave', '#include <stdlib.h>
__attribute__((constructor)) static void start(void) { exit(3); }');
my $hang = write_library('hang', '#include <unistd.h>
__attribute__((constructor)) static void start(void) { for (;;) pause(); }');
my $mute = write_library('mute', '#include <unistd.h>
__attribute__((constructor)) static void start(void)
{ close(1); close(2); for (int fd = 3; fd < 100; fd++) close(fd); for (;;) pause(); }');
my $helper = write_library('helper', "#include <unistd.h>
__attribute__((constructor)) static void start(void) {
	  if (fork() == 0) { while (access(\"$directory/helper.so\", F_OK) == 0) usleep(10000); _exit(0); } }");
my $old = write_library('old', other_jemalloc('4.0.0', 'true'));

$node->start;
my $session = session($node);
my $pid = pid_of($session);
query($session, 'CREATE TEMP TABLE own AS SELECT 1 AS x');

for my $refused (
	[ '', qr/must not be empty/ ],
	[ 'a.so b.so', qr/must not be empty or contain colons or spaces/ ],
	[ 'lib/libjemalloc.so.2', qr/path must be absolute/ ],
	[ '/nonexistent/libjemalloc.so.2', qr/could not load jemalloc library.*No such file/s ],
	[ $file, qr/could not load jemalloc library.*invalid ELF header/s ],
	[ $empty, qr/is not a jemalloc that jemctx can use\s+It has no function/ ],
	[ $old, qr/jemalloc version 4\.0\.0 is too old/ ],
	[ $crash, qr/cannot be loaded without harm/ ],
	[ $leave, qr/cannot be loaded without harm/ ])
{
	my ($library, $reason) = @$refused;
	my $answer = query($session, "ALTER SYSTEM SET jemctx.jemalloc_library = '$library'");

	like(
		$answer,
		qr/^ERROR:  invalid value for parameter "jemctx.jemalloc_library": "\Q$library\E"\nDETAIL:  /,
		"'$library' is refused");
	like($answer, $reason, "'$library': with the reason");
	like($answer, qr/HINT:  Set jemctx\.jemalloc_library to/, "'$library': and a hint");
}
is(query($session, 'SELECT pg_backend_pid()'), $pid, 'the session goes on');
is(query($session, 'SELECT x FROM own'), '1', 'with its temporary tables');
is(query($session, 'SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid()'),
	'1', 'and is one of the server\'s');

# One that hangs can be given up.
query($session, "SET statement_timeout = '1s'");
for my $library ($hang, $mute)
{
	like(
		query($session, "ALTER SYSTEM SET jemctx.jemalloc_library = '$library'"),
		qr/ERROR:  canceling statement due to statement timeout/,
		"'$library' hangs: the statement can be cancelled");
	is(`pgrep -P $pid`, '', "'$library' hangs: no process is left");
}

# One that leaves a process behind does not.
query($session, "SET statement_timeout = '30s'");
like(
	query($session, "ALTER SYSTEM SET jemctx.jemalloc_library = '$helper'"),
	qr/is not a jemalloc that jemctx can use/,
	'a library that leaves a process behind');
unlink($helper) or die;
query($session, 'RESET statement_timeout');

unlike(slurp_file($file), qr/jemctx/, 'nothing was written');

# What is right is taken, here and at the next start.
my $library = info($node, 'library');
is(query($session, "ALTER SYSTEM SET jemctx.jemalloc_library = '$library'"), '', 'a jemalloc is taken');
is(query($session, 'ALTER SYSTEM SET jemctx.profile = on'), '', 'another setting, too');
close_session($session);
$node->restart;
is(info($node, 'library'), $library, 'and used at the next start');
is(info($node, 'profiling'), 'available', 'and the other setting');

# A reload must not try libraries: every process would.
append_to_file($file, "jemctx.jemalloc_library = '$crash'\n");
my $length = -s $node->logfile;
$node->reload;
ok(poll(sub { substr(slurp_file($node->logfile),
	$length) =~ /parameter "jemctx.jemalloc_library" cannot be changed without restarting/ }),
	'a reload tells that it takes a restart');
is(info($node, 'library'), $library, 'and the server goes on');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET jemctx.jemalloc_library');
$node->stop;

done_testing();
