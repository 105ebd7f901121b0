# What a benchmark says in the end: statistics of its figures, and tables of them.
package Report;

use strict;
use warnings;

use Exporter 'import';
use JSON::PP ();
use List::Util qw(max sum);
use POSIX ();

our @EXPORT = qw(geometric_mean goals in_turn interval median number rotated row table);

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

# Print rows of cells below a head; the first column to the left.
sub table
{
	my ($head, @rows) = @_;
	my @widths = map { my $column = $_; max(map { length($_->[$column] // '') } $head, @rows) } 0 .. $#$head;

	for my $cells ($head, [ map { '-' x $_ } @widths ], @rows)
	{
		print join('  ', map { sprintf($_ ? '%*2$s' : '%-*2$s', $cells->[$_] // '', $widths[$_]) } 0 .. $#$head), "\n";
	}
	print "\n";
}

# A row of the goals' table: work, peer, ours, ratio, interval, goal as ">= 1".
# Without a goal it is shown only.
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

sub goals
{
	my @cells = map {
		[
			$_->{work}, number($_->{peer}), number($_->{ours}), sprintf('%.3f', $_->{ratio}),
			$_->{interval} ? sprintf('%.3f-%.3f', @{ $_->{interval} }) : '-', $_->{goal} // '-',
			!defined $_->{goal} ? '-' : $_->{reached} ? 'reached' : 'short'
		]
	} @_;

	table([ 'work', 'peer', 'ours', 'ratio', '95 % CI', 'goal', 'result' ], @cells);
}

1;
