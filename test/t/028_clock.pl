# Somebody sets the clock.  What is to happen after a while happens all the same:
# figures are published, an answer is not waited for any longer or shorter.
# pg_regress has the machine's clock.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main', "jemctx.idle_purge_after = -1\n");
my $directory = $node->basedir;
my $file = "$directory/offset";

# PostgreSQL asks for the time by gettimeofday(), which this library moves by the seconds in a file.
append_to_file($file, pack('q', 0));
append_to_file("$directory/clock.c", <<"SOURCE");
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
int gettimeofday(struct timeval *restrict result, void *restrict zone)
{
	static volatile long *offset;
	struct timespec now;
	if (offset == NULL)
		offset = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, open("$file", O_RDONLY | O_CLOEXEC), 0);
	clock_gettime(CLOCK_REALTIME, &now);
	result->tv_sec = now.tv_sec + *offset;
	result->tv_usec = now.tv_nsec / 1000;
	return 0;
}
SOURCE
system_or_bail('cc', '-shared', '-fPIC', '-o', "$directory/clock.so", "$directory/clock.c");

sub set_clock
{
	my ($seconds) = @_;

	open(my $handle, '+<', $file) or die $!;
	print $handle pack('q', $seconds);
	close $handle;
	return;
}

{
	local $ENV{LD_PRELOAD} = "$directory/clock.so";
	$node->start;
}
my $observer = session($node);
my $session = session($node);
my $pid = pid_of($session);
my $hour = 3600;
pid_of($observer);

sub hour { return query($observer, 'SELECT extract(epoch FROM clock_timestamp())::int / 3600') }
my $now = hour();
set_clock(-10 * $hour);
cmp_ok(hour(), '<=', $now - 9, 'the clock can be set');
set_clock(0);

# A busy backend publishes once a second, by any clock.
query($session, 'BEGIN; SELECT 1');
for my $set (-$hour, $hour, 0)
{
	query($session, "SET work_mem = '64MB'; DECLARE c$$ CURSOR FOR SELECT g, md5(g::text) m
		FROM generate_series(1, 50000) g ORDER BY m; MOVE 1 IN c$$");
	my $have = query($session, "SELECT allocated FROM jemctx_backends WHERE pid = $pid");
	set_clock($set);
	query($session, "CLOSE c$$");
	ok( poll(
			sub {
				query($session, 'SELECT 1');
				backend($observer, $session, 'allocated') < $have - 2e6;
			}),
		"clock set by $set s: a busy backend publishes");
}
query($session, 'COMMIT');

# One that does not answer is waited for as long as it should be.
for my $set (-$hour, 0)
{
	kill 'STOP', $pid;
	send_query($observer, "SELECT jemctx_purge($pid)");
	my $waiting = session($node);
	poll(
		sub {
			is_answered($observer)
			  || query($waiting, 'SELECT wait_event FROM pg_stat_activity WHERE pid = ' . $observer->{pid}) eq
			  'Extension';
		});
	set_clock($set);
	close_session($waiting);
	ok(poll(sub { is_answered($observer) }), "clock set by $set s in the middle of a wait: it ends");
	kill 'CONT', $pid;
	like(answer($observer), qr/NOTICE:  process $pid is busy/, 'without an answer');
}

$node->stop;
done_testing();
