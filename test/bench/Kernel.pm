# What the kernel says of a server's processes.
package Kernel;

use strict;
use warnings;

use Exporter 'import';
use List::Util qw(sum sum0);
use POSIX ();

our @EXPORT = qw(children contents cpu_seconds minor_faults private_mb processes rollup server_pids stat_fields
	title tree_usage);

my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());

sub contents
{
	my ($path) = @_;

	open(my $file, '<', $path) or return '';
	local $/;
	return <$file> // '';
}

# The fields of /proc/PID/stat from the third on, which is the state.
sub stat_fields
{
	my ($pid) = @_;

	return split(' ', contents("/proc/$pid/stat") =~ s/^.*\)//sr);
}

sub minor_faults
{
	my ($pid) = @_;

	return (stat_fields($pid))[7];
}

# The process ids of the postmaster and of each of its children.
sub server_pids
{
	my ($server) = @_;
	my $pid = $server->{pid};

	return ($pid, grep { ((stat_fields($_))[1] // 0) == $pid } map { m{(\d+)$} } glob('/proc/[0-9]*'));
}

# Their stat fields.
sub tree
{
	return grep { @$_ } map { [ stat_fields($_) ] } server_pids(@_);
}

sub processes
{
	return scalar(my @list = tree(@_));
}

# The process ids of a server's processes, but for the postmaster.
sub children
{
	my ($server) = @_;

	return grep { ((stat_fields($_))[1] // 0) == $server->{pid} } map { m{(\d+)$} } glob('/proc/[0-9]*');
}

# How a process calls itself.
sub title
{
	return contents("/proc/$_[0]/cmdline");
}

# What a process has had of the processors.
sub cpu_seconds
{
	my @fields = stat_fields(@_);

	return ($fields[11] + $fields[12]) / $ticks;
}

# CPU seconds and minor faults of a server, ended backends included.
sub tree_usage
{
	my @tree = tree(@_);

	return {
		cpu => sum(map { @$_[ 11 .. 14 ] } @tree) / $ticks,
		faults => sum(map { @$_[ 7, 8 ] } @tree),
	};
}

# A field of /proc/PID/smaps_rollup in kB, summed over processes.
sub rollup
{
	my ($field, @pids) = @_;

	return sum0(
		map { contents("/proc/$_/smaps_rollup") =~ /^$field: +(\d+) kB/m ? $1 : die "no $field of process $_\n" }
		  @pids);
}

# What a server's processes have for themselves, in memory and in swap.
sub private_mb
{
	my @pids = server_pids(@_);

	return (rollup('Pss_Anon', @pids) + rollup('SwapPss', @pids)) / 1024;
}

1;
