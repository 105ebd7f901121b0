# C as a text that has a shape: what is code in it, what it defines, what it mentions. For sources in
# PostgreSQL's style, which say nothing that only a compiler could tell apart.
package Source;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(masked without_words functions variables names_used includes_of);

my $blank = sub { $_[0] =~ s/[^\n]/ /gr };

# The text with comments, strings and characters made spaces.
sub without_words
{
	my ($text) = @_;

	return $text =~ s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')}{$blank->($1)}gser;
}

# The text with all that is no code made spaces, the preprocessor's lines, too.
sub masked
{
	my ($text) = @_;

	return without_words($text) =~ s{^([ \t]*\#(?:[^\n]*\\\n)*[^\n]*)}{$blank->($1)}gmer;
}

# What stands at the top of a file, one after the other: [head, first line, last line, is it a function].
# The head is all of it but a function's body; the lines are the body's braces.
sub pieces
{
	my ($text) = @_;
	my $code = masked($text);
	my ($braces, $parentheses, $start, $first, @pieces) = (0, 0, 0, 0);
	my ($head, $line, $seen) = ('', 1, 0);

	while ($code =~ /([{}();])/g)
	{
		my ($token, $position) = ($1, $-[1]);
		$line += substr($code, $seen, $position - $seen) =~ tr/\n//;
		$seen = $position;
		$parentheses += $token eq '(' ? 1 : $token eq ')' ? -1 : 0;
		($head, $first) = (substr($code, $start, $position - $start), $line) if $token eq '{' && $braces++ == 0;
		my $closed = $token eq '}' && --$braces == 0;
		my $is_function = $closed && $head =~ /\)\s*\z/ && $head !~ /=/;
		next if !$is_function && ($token ne ';' || $braces || $parentheses);
		push(@pieces,
			[ $is_function ? $head : substr($code, $start, $position - $start), $first, $line, $is_function ]);
		$start = $position + 1;
	}
	die "braces or parentheses that do not match\n" if $braces || $parentheses;
	return @pieces;
}

# The functions of a file: name, whether it is static, and the lines of its braces.
sub functions
{
	my @functions;

	for (grep { $_->[3] } pieces(@_))
	{
		my ($head, $first, $last) = @$_;
		my ($name) = $head =~ s/\b(?:pg_attribute_\w+|__attribute__\s*\()//gr =~ /(\w+)\s*\(/;

		push(@functions, { name => $name, static => $head =~ /\bstatic\b/ ? 1 : 0, first => $first, last => $last });
	}
	return @functions;
}

# The variables that a file defines for others to see.
sub variables
{
	my @names;

	for my $piece (map { $_->[0] } grep { !$_->[3] } pieces(@_))
	{
		my $nested = qr/(\{(?:[^{}]++|(?1))*\})/;
		my $text = $piece =~ s/$nested/ /gr =~ s/^\s+|\s+$//gr;

		next if $text =~ /^(typedef|extern|static)\b/ || $text =~ /^(struct|enum|union)\s*\w*$/;
		push(@names, $1) if $text =~ /\(\s*\*\s*(\w+)\s*\)\s*\(/;
		next if $text =~ /^[^=]*\(/;
		push(@names, map { s/=.*//sr =~ /(\w+)\s*(?:\[[^]]*\]\s*)*$/ ? $1 : () } split /,/, $text);
	}
	return @names;
}

# The words of its code and of its macros that are no fields.
sub names_used
{
	my ($text) = @_;
	my %used = map { $_ => 1 } without_words($text =~ s/^\s*#\s*include.*//gmr) =~ /(?<![\w.])(?<!->)([A-Za-z_]\w*)/g;

	return keys %used;
}

sub includes_of
{
	my ($text) = @_;

	return $text =~ /^\s*#\s*include "([^"]+)"/mg;
}

1;
