# What the TAP tests of namespaces share: a running server with the test
# module, figures, and sessions that stay.
package NamespaceTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

our @EXPORT = qw(namespace_node sql figure adds_up keeper_pid find_keeper wait_for_figure open_session ask close_session
	survives_crash fault in_pause);

# A running server whose namespace "a" the tests use.
sub namespace_node
{
	my ($name, $conf) = @_;
	my $node = new_node($name, "restart_after_crash = on\nautovacuum = off\n" . ($conf // ''));

	$node->start;
	sql($node, 'CREATE EXTENSION jemctx_test');
	sql($node, "SELECT jemctx_namespace_create('a')");
	return $node;
}

sub sql
{
	my ($node, $sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

sub figure
{
	my ($node, $expression, $namespace) = @_;

	return sql($node, "SELECT $expression FROM jemctx_namespaces WHERE name = '" . ($namespace // 'a') . "'");
}

sub wait_for_figure
{
	my ($node, $condition, $what) = @_;

	ok($node->poll_query_until('postgres', "SELECT $condition FROM jemctx_namespaces WHERE name = 'a'"), $what)
		or diag figure($node, 'jemctx_namespaces');
	return;
}

sub adds_up
{
	my ($node, $what) = @_;

	is(figure($node, 'allocated + cached + free - committed'), 0, "$what: the figures add up");
	return;
}

# Let the n-th thing of that kind fail, with 0 none, with -1 all, in a checking build: see src/shared/failpoint.h.
sub fault
{
	my ($node, $fault, $countdown) = @_;

	sql($node,
		q(CREATE OR REPLACE FUNCTION jemctx_debug_fault(text, int) RETURNS void AS '$libdir/jemctx' LANGUAGE C STRICT));
	sql($node, "SELECT jemctx_debug_fault('$fault', $countdown)");
	return;
}

# Have a session pause between two steps of a statement, do something, and let it go on.  Returns what it says.
sub in_pause
{
	my ($node, $fault, $session, $statement, $do) = @_;

	fault($node, $fault, 1);
	send_query($session, $statement);
	sql($node,
		q(CREATE OR REPLACE FUNCTION jemctx_debug_fault_pauses(text) RETURNS bool AS '$libdir/jemctx' LANGUAGE C STRICT)
	);
	$node->poll_query_until('postgres', "SELECT jemctx_debug_fault_pauses('$fault')")
	  or die "$statement does not get to $fault";
	$do->();
	fault($node, $fault, 0);
	return answer($session);
}

# The keeper, if there is one.  It is no backend, not among those that SQL shows.  Processes that the
# postmaster has just made have its name still, and others end while they are looked at.
sub find_keeper
{
	my ($node) = @_;
	my $postmaster = postmaster_pid($node);

	for my $directory (glob '/proc/[0-9]*')
	{
		my ($stat, $line) = map { read_process("$directory/$_") } qw(stat cmdline);

		next if $stat !~ /^.*\) [^ZX] $postmaster / || $line !~ /jemctx keeper/;
		return $directory =~ /(\d+)/ ? $1 : ();
	}
	return;
}

sub read_process
{
	my ($file) = @_;

	open(my $handle, '<', $file) or return '';
	return <$handle> // '';
}

sub keeper_pid
{
	my ($node) = @_;
	my $pid;

	poll(sub { $pid = find_keeper($node) }) or die 'there is no keeper';
	return $pid;
}

sub open_session
{
	my ($node) = @_;
	my $session = session($node);

	pid_of($session);
	return $session;
}

# The answer to a statement, or the ERROR.
sub ask
{
	my $answer = query(@_);

	return $answer =~ /^ERROR: +(.*)/m ? "ERROR: $1" : $answer;
}

# Something has killed a process of the server: it starts over, with namespaces
# that work and are empty.
sub survives_crash
{
	my ($node, $offset, $what) = @_;

	wait_for_recovery($node, $offset);
	is(sql($node, "SELECT count(*) FROM jemctx_namespaces WHERE name = 'a'"), 0, "$what: the server starts over");
	sql($node, "SELECT jemctx_namespace_create('a')");
	is(sql($node, "SELECT jemctx_test_ns_fill('a', 100, 100000), jemctx_test_ns_check('a')"),
		'100000|1000', "$what: and namespaces work");
	adds_up($node, $what);
	return;
}

1;
