# A control group with a limit of memory for some of a benchmark's servers.
#
# Only root can make one and have processes enter it, and servers run as another user.  So a process of
# root stays, has whoever asks enter the group and leave it, and removes it when nobody can ask any more.
package Group;

use strict;
use warnings;

use Exporter 'import';
use Fcntl qw(F_GETFD F_SETFD FD_CLOEXEC);
use IO::Handle ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);

our @EXPORT = qw(in_group make_group);

my $variable = 'JEMCTX_BENCH_GROUP';
my $door;

# A directory of the kernel's, of either version, and the file with the limit.
sub create
{
	my ($bytes) = @_;

	for my $place ([ '/sys/fs/cgroup/memory', 'memory.limit_in_bytes' ], [ '/sys/fs/cgroup', 'memory.max' ])
	{
		my ($root, $limit) = @$place;
		my $group = "$root/jemctx-bench.$$";

		next if !mkdir($group);
		return ($root, $group) if write_file("$group/$limit", $bytes);
		rmdir($group);
	}
	die "the kernel does not let us make a control group with a limit\n";
}

sub write_file
{
	my ($path, $text) = @_;

	open(my $file, '>', $path) or return 0;
	print $file $text;
	return close($file);
}

# As root, before the user changes: make a group that may have so many MB.
sub make_group
{
	my ($mb) = @_;
	my ($root, $group) = create($mb * 1024 * 1024);

	socketpair($door, my $porter, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "could not make a pair of sockets: $!\n";
	if (!(fork() // die "could not fork: $!\n"))
	{
		close($door);
		serve($porter, $root, $group);
		exit(0);
	}
	close($porter);
	fcntl($door, F_SETFD, fcntl($door, F_GETFD, 0) & ~FD_CLOEXEC) or die "could not keep a socket open: $!\n";
	$ENV{$variable} = fileno($door);
	return;
}

# Processes enter and leave, until nobody is there who could ask.
sub serve
{
	my ($porter, $root, $group) = @_;

	$SIG{$_} = 'IGNORE' for qw(INT TERM HUP);
	$porter->autoflush(1);
	while (my $line = <$porter>)
	{
		my ($action, $pid) = split(' ', $line);

		my $processes = ($action eq 'enter' ? $group : $root) . '/cgroup.procs';

		print $porter write_file($processes, $pid) ? "done\n" : "failed: $!\n";
	}
	for (1 .. 600)
	{
		last if rmdir($group);
		sleep(1);
	}
	return;
}

sub ask
{
	my ($action) = @_;

	print $door "$action $$\n";
	my $answer = <$door>;
	$answer eq "done\n" or die "could not $action the control group: $answer";
	return;
}

# Do a thing in the group; the processes that it starts stay there.
sub in_group
{
	my ($do) = @_;

	if (!$door)
	{
		defined $ENV{$variable} or die "only root can have servers in a control group\n";
		open($door, '+<&=', delete $ENV{$variable}) or die "could not open a socket: $!\n";
		fcntl($door, F_SETFD, fcntl($door, F_GETFD, 0) | FD_CLOEXEC) or die "could not keep a socket: $!\n";
		$door->autoflush(1);
	}
	ask('enter');
	$do->();
	ask('leave');
	return;
}

1;
