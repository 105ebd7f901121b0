# The wall clock of the machine is set back and forth: the keeper's work and the
# deadlines of requests go by another.  A library in front of the system's
# sets it, as no test may set the machine's.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use NamespaceTest;

# The wall clock is ahead by the seconds that stand in a file.
my $directory = PostgreSQL::Test::Utils::tempdir();
my $ahead = "$directory/ahead";
my $library = "$directory/clock.so";
append_to_file("$directory/clock.c", <<"C");
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int
gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	char		text[32] = "";
	struct timespec now;
	int			file = open("$ahead", O_RDONLY | O_CLOEXEC);

	if (file >= 0)
	{
		if (read(file, text, sizeof(text) - 1) < 0)
			text[0] = 0;
		close(file);
	}
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	time->tv_sec = now.tv_sec + atol(text);
	time->tv_usec = now.tv_nsec / 1000;
	return 0;
}
C
system('cc', '-shared', '-fPIC', '-O', '-o', $library, "$directory/clock.c") == 0
  or plan skip_all => 'needs a C compiler';

sub set_clock
{
	my ($seconds) = @_;

	open(my $handle, '>', "$ahead.new") or die $!;
	print $handle "$seconds\n";
	close $handle;
	rename "$ahead.new", $ahead or die $!;
	return;
}

set_clock(0);
local $ENV{LD_PRELOAD} = $library;
my $node = namespace_node('main');
delete local $ENV{LD_PRELOAD};
my $now = sql($node, 'SELECT extract(epoch FROM clock_timestamp())::bigint');
set_clock(-3600);
cmp_ok(sql($node, 'SELECT extract(epoch FROM clock_timestamp())::bigint') - $now,
	'<', -1800, 'the clock is set back by an hour');

# What is freed goes back, and what an idle session keeps.
my $session = open_session($node);
is(ask($session, "SELECT jemctx_test_ns_fill('a', 1000, 50000000), jemctx_test_ns_drain('a')"),
	'50000000|50000', 'used and freed');
wait_for_figure($node, 'cached = 0 AND committed < 1500000', 'memory goes back');
ok($node->poll_query_until('postgres', 'SELECT namespaces < 2000000 FROM jemctx_server'), 'to the machine');

# The clock jumps about while a session asks the keeper as fast as it can.
send_query($session, "SELECT jemctx_test_ns_longest('a', 100000, 3000) < 1e9");
for my $round (1 .. 30)
{
	set_clock($round % 2 ? 86400 * $round : -86400 * $round);
	sql($node, 'SELECT pg_sleep(0.1)');
}
is(answer($session), 't', 'no answer is late because of a clock');
close_session($session);
$node->stop;

done_testing();
