# A library that cannot be used must stop the server with a message that
# helps.  pg_regress needs a server that starts.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main');
my $directory = $node->basedir;
my $libm = '/usr/lib/x86_64-linux-gnu/libm.so.6';

fails_to_start(
	$node, "jemctx.jemalloc_library = '/nonexistent/libjemalloc.so'\n", 'no such file',
	qr/FATAL:  could not load jemalloc library "\/nonexistent\/libjemalloc.so"/,
	qr/DETAIL:  .*No such file/, qr/HINT:  Install jemalloc .*jemctx\.jemalloc_library/);
fails_to_start(
	$node, "jemctx.jemalloc_library = 'libnonexistent.so.9'\njemctx.process_malloc = system\n", 'no such name',
	qr/FATAL:  could not load jemalloc library "libnonexistent.so.9"/, qr/HINT:  Install/);
fails_to_start(
	$node, "jemctx.jemalloc_library = 'lib/libjemalloc.so'\n", 'relative path',
	qr/FATAL:  invalid name of a jemalloc library: "lib\/libjemalloc.so"/, qr/DETAIL:  A path must be absolute/,
	qr/HINT:  Set jemctx\.jemalloc_library/);
fails_to_start(
	$node, "jemctx.jemalloc_library = 'a.so:b.so'\n", 'two libraries',
	qr/must not be empty or contain colons or spaces/);

# One that does not let anybody open it
append_to_file("$directory/crash.c",
	"#include <stdlib.h>\n__attribute__((constructor)) static void start(void) { abort(); }\n");
system_or_bail('cc', '-shared', '-fPIC', '-o', "$directory/crash.so", "$directory/crash.c");
fails_to_start(
	$node, "jemctx.jemalloc_library = '$directory/crash.so'\n", 'crash',
	qr/FATAL:  the server does not start together with jemalloc/,
	qr/DETAIL:  A trial with LD_PRELOAD=\S*crash\.so: it was ended by signal 6/,
	qr/HINT:  Set jemctx\.jemalloc_library to another/);

SKIP:
{
	skip "no $libm", 6 unless -e $libm;
	for my $mode ('jemalloc', 'system')
	{
		fails_to_start(
			$node, "jemctx.jemalloc_library = '$libm'\njemctx.process_malloc = $mode\n", "not jemalloc, $mode",
			qr/FATAL:  library "$libm" is not a jemalloc that jemctx can use/, qr/HINT:  Set jemctx\.jemalloc_library/);
	}
}

my $old =
  compile_library($directory, 'old', other_jemalloc('5.2.1-0-gea6b3e973b477b8061e0076bb257dbd7f3faa756', 'true'));
my $mute =
  compile_library($directory, 'mute', other_jemalloc('5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c', 'false'));

for my $mode ('jemalloc', 'system')
{
	fails_to_start(
		$node, "jemctx.jemalloc_library = '$old'\njemctx.process_malloc = $mode\n", "too old, $mode",
		qr/FATAL:  jemalloc version 5\.2\.1\S* is too old/, qr/DETAIL:  .*5\.3 or later/, qr/HINT:  Set jemctx/);
	fails_to_start(
		$node, "jemctx.jemalloc_library = '$mute'\njemctx.process_malloc = $mode\n", "without statistics, $mode",
		qr/FATAL:  jemalloc library "$mute" was built without statistics/, qr/HINT:  Set jemctx.*--enable-stats/);
}

$node->start;
is(info($node, 'origin'), 're-executed', 'and with the right one it starts');
$node->stop;

done_testing();
