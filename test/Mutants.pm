# All the changes that test/mutate knows to make in a C file: one of a relation, a sign, a negation,
# a constant, or a statement that is left out, each within a line of a function's body.
package Mutants;

use strict;
use warnings;

use Exporter 'import';

use Source qw(masked);

our @EXPORT_OK = qw(mutants_of mutate_text);

my %relation = ('<' => '<=', '<=' => '<', '>' => '>=', '>=' => '>', '==' => '!=', '!=' => '==');
my %sign =
  ('+' => '-', '-' => '+', '*' => '/', '/' => '*', '%' => '/', '&' => '|', '|' => '&', '<<' => '>>', '>>' => '<<');
my %assignment = ('+=' => '-=', '-=' => '+=', '++' => '--', '--' => '++', '|=' => '&=', '&=' => '|=');
my %logic = ('&&' => '||', '||' => '&&');
my %truth = ('true' => 'false', 'false' => 'true');

# What is not to be changed: assertions are no behaviour, memcheck is told what these say, and
# failures on demand are for tests.
my $left_alone =
  qr/\b(Assert|StaticAssert\w*|MEMSTATE_\w+|FAILPOINT\w*|failpoint_\w+|pg_unreachable|PG_USED_FOR_ASSERTS_ONLY)\b/;

# Which lines are in function bodies, and not in what only memcheck's build has.
sub body_lines
{
	my ($text, @masked) = @_;
	my @lines = split /\n/, $text, -1;
	my ($inside, $previous, $valgrind) = (0, '', 0);
	my %body;

	for my $i (0 .. $#masked)
	{
		$valgrind = $lines[$i] =~ /VALGRIND/ if $lines[$i] =~ /^#\s*if/;
		$valgrind = 0 if $lines[$i] =~ /^#\s*(else|endif)/;
		$inside = 0 if $masked[$i] =~ /^\}/;
		$body{$i} = 1 if $inside && !$valgrind && $masked[$i] =~ /\S/ && $masked[$i] !~ $left_alone;
		$inside = 1 if $masked[$i] =~ /^\{/ && $previous =~ /\)$/;
		$previous = $masked[$i] =~ s/\s+$//r if $masked[$i] =~ /\S/;
	}
	return \%body;
}

# A change of a line: [line, column, length, replacement, kind].
sub replacements
{
	my ($line, $number, $pattern, $by, $kind) = @_;
	my @found;

	while ($line =~ /$pattern/g)
	{
		push(@found, [ $number, $-[1], length $1, $by->{$1}, $kind ]);
	}
	return @found;
}

sub constants
{
	my ($line, $number) = @_;
	my @found;

	while ($line =~ /(?<![\w.])(\d+)(?![\w.])/g)
	{
		push(@found, [ $number, $-[1], length $1, $1 + 1, 'constant' ]);
		push(@found, [ $number, $-[1], length $1, $1 - 1, 'constant' ]) if $1 > 0;
	}
	return @found;
}

# Conditions of one line, and negations.
sub negations
{
	my ($line, $number) = @_;
	my @found;

	push(@found, [ $number, $-[1], length $1, "(!$1)", 'negation' ])
	  if $line =~ /\b(?:if|while) (\((?:[^()]|(?1))*\))/;
	push(@found, [ $number, $-[1], 1, '', 'negation' ]) while $line =~ /(!)(?=[\w(])/g;
	return @found;
}

# Is the line a whole statement, and no declaration?
sub is_statement
{
	my ($line, $previous) = @_;
	my ($open, $close) = (scalar($line =~ tr/(//), scalar($line =~ tr/)//));

	return
		 $line =~ /^\s+[\w*(].*;\s*$/
	  && $open == $close
	  && $previous =~ /([;{}:)]|\belse)\s*$/
	  && $line !~ /^\s*(return\s+\S|for|while|if|else|case|default|goto|do|static|const|struct)\b/
	  && ($line =~ /^\s*return;/ || $line !~ /^\s*\w+(\s+\w+)*\s+\**\w+\s*([=;,\[]|$)/);
}

# All changes that there are, by the number of their line, from 0.
sub mutants_of
{
	my ($text) = @_;
	my @masked = split /\n/, masked($text), -1;
	my $body = body_lines($text, @masked);
	my ($previous, %mutants) = ('');

	for my $i (sort { $a <=> $b } keys %$body)
	{
		my $line = $masked[$i];
		my $indent = $line =~ /^(\s+)/ ? length $1 : 0;
		my @found = (
			replacements($line, $i, qr/(?<= )(<=|>=|==|!=|<|>)(?= )/, \%relation, 'relation'),
			replacements($line, $i, qr/(?<= )(<<|>>|[-+*\/%&|])(?= )/, \%sign, 'sign'),
			replacements($line, $i, qr/(\+=|-=|\+\+|--|\|=|&=)/, \%assignment, 'sign'),
			replacements($line, $i, qr/(&&|\|\|)/, \%logic, 'logic'),
			replacements($line, $i, qr/\b(true|false)\b/, \%truth, 'truth'),
			constants($line, $i),
			negations($line, $i));

		push(@found, [ $i, $indent, length($line) - $indent, ';', 'dropped statement' ])
		  if is_statement($line, $previous);
		$mutants{$i} = \@found if @found;
		$previous = $line;
	}
	return \%mutants;
}

# The text with one change.
sub mutate_text
{
	my ($text, $mutant) = @_;
	my ($number, $column, $length, $by, $kind) = @$mutant;
	my @lines = split /\n/, $text, -1;

	substr($lines[$number], $column, $length) =
	  $kind eq 'negation' && $by ne '' ? "(!" . substr($lines[$number], $column, $length) . ")" : $by;
	return join("\n", @lines);
}

1;
