# What test/bench/scaling makes of its figures: tables of each part, their power
# laws, and what these say of a large machine.
package Scaling;

use strict;
use warnings;

use Exporter 'import';
use List::Util qw(max min);
use Report;

our @EXPORT_OK = qw(figures_of print_fits print_limits print_part record);

my @parts = qw(connections partitions objects processes places);
my %figures;	# part => figure => size => [values]
my %order;		# part => [figures]

# The large machine.
my $memory_mb = 1024 * 1024;
my %target = (connections => 10000, partitions => 10000, places => 10000);

# Facts of the sources: PostgreSQL's most connections and locks for each of them, the region's most (kB in
# an int), what a page of 4 kB has in the page map, and what a process has for each namespace.
my ($most_connections, $locks_each, $most_region_mb, $page_bytes, $counts_bytes, $namespaces) =
  (262143, 64, 2 * 1024 * 1024, 68, 256, 64);

# A figure of a part, at a size.
sub record
{
	my ($part, $figure, $size, $value) = @_;

	push(@{ $order{$part} }, $figure) if !$figures{$part}{$figure};
	push(@{ $figures{$part}{$figure}{$size} }, $value + 0);
}

sub figures_of
{
	return \%figures;
}

sub with_commas
{
	my ($number) = @_;

	1 while $number =~ s/^(\d+)(\d{3})/$1,$2/;
	return $number;
}

# The median of a figure at a size, if it was measured there.
sub at
{
	my ($part, $figure, $size) = @_;
	my $values = $figures{$part}{$figure}{$size};

	return $values ? median(@$values) : undef;
}

sub print_part
{
	my ($part) = @_;
	my @names = @{ $order{$part} };
	my %sizes = map { $_ => 1 } map { keys %$_ } values %{ $figures{$part} };

	table([ $part, @names ], map {
		my $size = $_;

		[ with_commas($size), map { number(at($part, $_, $size)) } @names ]
	} sort { $a <=> $b } keys %sizes);
}

# The law of a figure; nothing if it was not measured.
sub law
{
	my ($part, $figure) = @_;
	my $values = $figures{$part}{$figure} or return;

	return fit(map { my $size = $_; map { [ $size, $_ ] } @{ $values->{$size} } } keys %$values);
}

# A figure at the large machine's size.
sub at_target
{
	my ($part, $figure, $size) = @_;
	my $law = law($part, $figure);

	return $law ? at_size($law, $size // $target{$part}) : undef;
}

sub print_fits
{
	my @rows;

	for my $part (grep { $figures{$_} } @parts)
	{
		for my $figure (@{ $order{$part} })
		{
			my $law = law($part, $figure) or next;

			push(
				@rows,
				[ "$part: $figure", sprintf('%.2f', $law->{exponent}), sprintf('%.2f to %.2f', @{ $law->{interval} }),
				sprintf('%.2f', $law->{last_step}), with_commas($law->{last}[0]), number($law->{last}[1]),
				$target{$part} ? number(at_size($law, $target{$part})) : '-' ]);
		}
	}
	table([ 'figure', 'exponent', '95 % CI', 'of the last step', 'largest size', 'there', 'at 10,000' ], @rows);
	note('at 10,000: what was measured there, or else from the largest size on by the exponent of the last step, in '
		  . 'which a part that does not grow counts least');
}

# What 10,000 sessions hold, each so much with what it keeps for its next statements, and so much without:
# together they keep no more than a sixteenth of the machine and half a MB each (jemctx.kept_memory_limit).
sub with_kept
{
	my ($part, $sessions) = @_;
	my ($all, $without) = map { at_target($part, $_) } 'jemctx, MB', 'purged, MB';

	return if !defined $all || !defined $without;
	return $sessions * $without + min($sessions * max(0, $all - $without),
		$memory_mb / 16 + 0.5 * $target{connections});
}

# The memory of sessions: [what, need, limit, unit, whence] of each kind of server.
sub memory_needs
{
	my ($part, $sessions, $what) = @_;
	my ($stock, $idle) = map { at_target($part, $_) } 'stock, MB', 'purged, MB';

	return map { [ "$what, $_->[0]", $_->[1], $memory_mb, 'MB', "line of $part$_->[2]" ] } (
		[ 'stock', defined $stock ? $sessions * $stock : undef, '' ],
		[ 'jemctx', scalar with_kept($part, $sessions), '; jemctx.kept_memory_limit' ],
		[ 'jemctx, idle', defined $idle ? $sessions * $idle : undef, '' ]);
}

# Needs of a machine of 1 TB with 10,000 connections, of the same form.
sub needs
{
	my $count = $target{connections};
	my @needs = (
		memory_needs('connections', 1, 'memory of 10,000 sessions that have sorted'),
		memory_needs('partitions', $count, 'memory of 10,000 sessions that have planned over 10,000 partitions each'),
		map({ [ "mappings of a session with 10,000 partitions, $_", at_target('partitions', "$_: mappings"),
			max_map_count(), '', 'line of partitions; vm.max_map_count' ] } 'stock', 'jemctx'),
		map({ [ "shared memory but buffers, $_", at_target('places', "$_: shared but buffers, MB"), $memory_mb, 'MB',
			'line of places' ] } 'stock', 'jemctx'),
		[ 'what processes count for each namespace', $count * $namespaces * $counts_bytes / 1048576, $memory_mb, 'MB',
			"at most 10,000 processes, $namespaces namespaces, $counts_bytes bytes" ],
		[ 'page map of 1 TB in namespaces', $memory_mb / 4096 * $page_bytes, $memory_mb, 'MB',
			"$page_bytes bytes for each 4 kB" ],
		[ 'address space of 1 TB in namespaces', $memory_mb, $most_region_mb, 'MB',
			'the most of jemctx.namespace_memory' ],
		[ 'connections', $count, $most_connections, '', 'the most of max_connections' ],
		[ 'jemctx_server, once a second', at_target('places', 'jemctx_server, ms'), 1000, 'ms', 'line of places' ],
		[ 'jemctx_backends, once a second', at_target('connections', 'jemctx_backends, ms'), 1000, 'ms',
			'line of connections' ]);

	return grep { defined $_->[1] && defined $_->[2] } @needs;
}

sub max_map_count
{
	open(my $file, "<", "/proc/sys/vm/max_map_count") or return undef;
	return <$file> + 0;
}

sub print_limits
{
	my @needs = sort { $b->[1] / $b->[2] <=> $a->[1] / $a->[2] } needs();
	my $most = $needs[0][1] / $needs[0][2];

	table([ '1 TB, 10,000 connections', 'needs', 'of', '%', 'by' ], map {
		my ($what, $need, $limit, $unit, $whence) = @$_;

		[ $what, join(' ', with_commas(number($need)), $unit), join(' ', with_commas(int($limit)), $unit),
			number(100 * $need / $limit), $whence ]
	} @needs);
	note(($most > 1 ? 'first to break' : 'nothing breaks; nearest to it') . ": $needs[0][0], "
		  . number(100 * $most) . ' % of what there is');
	note(sprintf('with the default of %d locks for each of 10,000 connections, %d sessions at once can have locked '
		  . '10,000 partitions, with jemctx or without',
		$locks_each, $locks_each * $target{places} / $target{partitions}));
	objects_in_memory();
}

# How many objects of the size that was measured fill the large machine; and what they take, if there were enough
# to say so.
sub objects_in_memory
{
	for my $peer ('dsa', 'namespace')
	{
		my $law = law('objects', "$peer, MB") or next;
		my ($count, $mb) = @{ $law->{last} };
		my $most = $count * $memory_mb / $mb;
		my $text = sprintf('%s: 1 TB has %.1f billion such objects', $peer, $most / 1e9);

		$text .= sprintf('; by the lines one is made in %s ns then, and replaced in %s',
			map { number(at_target('objects', "$peer: $_, ns", $most)) } 'new', 'replace')
		  if $count >= 1e6;
		note($text);
	}
}

1;
