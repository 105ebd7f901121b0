# What a benchmark says in the end: statistics of its figures, and tables of them.
package Report;

use strict;
use warnings;

use Exporter 'import';
use JSON::PP ();
use List::Util qw(max sum);
use POSIX ();

our @EXPORT = qw(at_size fit geometric_mean goal_cells goal_head goals in_turn interval markdown_table median note
	number rotated row slope table);

my @printed;	# the tables, and the notes between them

#
# Statistics
#

# The items in another order each round: rotated by one (two items: swapped).
sub rotated
{
	my ($round, @items) = @_;
	my $first = $round % @items;

	return (@items[ $first .. $#items ], @items[ 0 .. $first - 1 ]);
}

# Do a thing for each of the items, so many rounds.
sub in_turn
{
	my ($rounds, $do, @items) = @_;

	for my $round (0 .. $rounds - 1)
	{
		$do->($_, $round) for rotated($round, @items);
	}
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	my $middle = int(@sorted / 2);

	return @sorted % 2 ? $sorted[$middle] : ($sorted[ $middle - 1 ] + $sorted[$middle]) / 2;
}

sub geometric_mean
{
	return exp(sum(map { log } @_) / @_);
}

# The bootstrap's 95 % confidence interval of a statistic of values.
sub interval
{
	my ($statistic, @values) = @_;
	my $resamples = 2000;
	my @results;

	srand(1);
	for (1 .. $resamples)
	{
		push(@results, $statistic->(map { $values[ rand @values ] } @values));
	}
	@results = sort { $a <=> $b } @results;
	return [ @results[ int(0.025 * $resamples), int(0.975 * $resamples) ] ];
}

# The least squares' slope of points.
sub slope
{
	my (@points) = @_;
	my ($x, $y) = map { my $i = $_; sum(map { $_->[$i] } @points) / @points } 0, 1;
	my $spread = sum(map { ($_->[0] - $x)**2 } @points);

	return $spread ? sum(map { ($_->[0] - $x) * ($_->[1] - $y) } @points) / $spread : 0;
}

# Student's t for an interval of 95 %, by degrees of freedom.
sub student
{
	my ($freedom) = @_;
	my @t = (undef, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228);

	return $t[$freedom] // 1.96 + 2.5 / $freedom;
}

# The power law of points, by least squares on their logarithms: the exponent and its interval; the last
# point, a median, and the exponent between that and the one before.  Nothing if it takes more points.
sub fit
{
	my (@points) = grep { $_->[0] > 0 && $_->[1] > 0 } @_;
	my %sizes;

	push(@{ $sizes{ $_->[0] } }, $_->[1]) for @points;
	my @medians = map { [ $_, median(@{ $sizes{$_} }) ] } sort { $a <=> $b } keys %sizes;
	return if @medians < 2 || @points < 3;
	my @logs = map { [ map { log } @$_ ] } @points;
	my $exponent = slope(@logs);
	my ($x, $y) = map { my $i = $_; sum(map { $_->[$i] } @logs) / @logs } 0, 1;
	my $left = sum(map { ($_->[1] - $y - $exponent * ($_->[0] - $x))**2 } @logs);
	my $error = student(@logs - 2) * sqrt($left / (@logs - 2) / sum(map { ($_->[0] - $x)**2 } @logs));

	return { exponent => $exponent, interval => [ $exponent - $error, $exponent + $error ], last => $medians[-1],
		last_step => slope(map { [ map { log } @$_ ] } @medians[ -2, -1 ]) };
}

# What it would be at another size, from the last point on: by the exponent of the last step, in which a
# part that does not grow counts least; and not less than there.
sub at_size
{
	my ($fit, $size) = @_;

	return $fit->{last}[1] * ($size / $fit->{last}[0])**max(0, $fit->{last_step});
}

#
# Report
#

# Three significant digits, or all of those before the point.
sub number
{
	my ($value) = @_;
	my $digits;

	return '-' if !defined $value;
	return '0' if $value == 0;
	$digits = 2 - POSIX::floor(log(abs($value)) / log(10));
	return sprintf('%.*f', max(0, $digits), $value);
}

# Print a line about the tables, how they are to be read for example.
sub note
{
	my ($text) = @_;

	push(@printed, { note => $text });
	print "$text\n\n";
}

# Print rows of cells below a head; the first column to the left.
sub table
{
	my ($head, @rows) = @_;

	push(@printed, { head => $head, rows => \@rows });
	my @widths = map { my $column = $_; max(map { length($_->[$column] // '') } $head, @rows) } 0 .. $#$head;

	for my $cells ($head, [ map { '-' x $_ } @widths ], @rows)
	{
		print join('  ', map { sprintf($_ ? '%*2$s' : '%-*2$s', $cells->[$_] // '', $widths[$_]) } 0 .. $#$head), "\n";
	}
	print "\n";
}

# What has been printed so far.
sub printed
{
	return \@printed;
}

# A row of the goals' table: work, peer, ours, ratio, interval, goal as ">= 1".
# Without a goal it is shown only.  "difference" says that the ratio is one.
sub row
{
	my (%row) = @_;

	if (defined $row{goal})
	{
		my ($operator, $bound) = $row{goal} =~ /^([<>])= ([\d.]+)$/ or die "not a goal: \"$row{goal}\"\n";

		$row{reached} =
		  ($operator eq '>' ? $row{ratio} >= $bound : $row{ratio} <= $bound) ? JSON::PP::true : JSON::PP::false;
	}
	return \%row;
}

sub goal_head
{
	return ('work', 'peer', 'ours', 'ratio', '95 % CI', 'goal', 'result');
}

sub goal_cells
{
	my ($row) = @_;

	return (
		$row->{work}, number($row->{peer}), number($row->{ours}), sprintf('%.3f', $row->{ratio}),
		$row->{interval} ? sprintf('%.3f-%.3f', @{ $row->{interval} }) : '-', $row->{goal} // '-',
		!defined $row->{goal} ? '-' : $row->{reached} ? 'reached' : 'short');
}

sub goals
{
	table([goal_head()], map { [ goal_cells($_) ] } @_);
}

# The lines of a table for a page, with figures to the right.
sub markdown_table
{
	my ($head, @rows) = @_;
	my @words = map { my $column = $_; scalar grep { ($_->[$column] // '') =~ /[a-z]{3}/i } @rows } 0 .. $#$head;

	return map { '| ' . join(' | ', map { ($_ // '') =~ s/\|/\\|/gr } @$_) . ' |' }
	  $head, [ map { $_ ? '---' : '---:' } @words ], map { [ @$_[ 0 .. $#$head ] ] } @rows;
}

1;
