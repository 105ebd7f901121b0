# Handles of namespaces that others drop, reset and make again, of processes at
# their limit of memory, of databases in other encodings, and of workers that a
# signal ends at any moment.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

use JemctxTest;
use NamespaceTest;

my $node = namespace_node('main');
my ($one, $two) = map { open_session($node) } 1 .. 2;

query($one, '\set VERBOSITY verbose');

# A handle is of one namespace, not of the next that has its name, nor of that in its slot.
for my $what ('allocate', 'free', 'usable size', 'root', 'set root', 'limit', 'set limit', 'palloc', 'context reset')
{
	ask($one, "SELECT jemctx_test_ns_stale('a', 'keep')");
	ask($two,
		"SELECT jemctx_namespace_drop('a'), jemctx_namespace_create('a'), jemctx_namespace_set_limit('a', 50000000)");
	ask($two, "SELECT jemctx_test_ns_fill('a', 100, 1000)");
	is( ask($one, "SELECT jemctx_test_ns_stale('a', '$what')"),
		'ERROR: 42704: namespace "a" was dropped',
		"$what: not in the next of its name");
	is(ask($two, "SELECT jemctx_test_ns_check('a'), size_limit FROM jemctx_namespaces WHERE name = 'a'"),
		'10|50000000', 'which is untouched');
}

# A context is reset each time, whoever has allocated since.
ask($one, "SELECT jemctx_test_ns_stale('a', 'keep')");
for my $time ('once', 'twice')
{
	ask($two, "SELECT jemctx_test_ns_fill('a', 100, 1000)");
	ask($one, "SELECT jemctx_test_ns_stale('a', 'context reset')");
	is(figure($node, 'objects'), 0, "a context is reset $time");
}

# An object that a reset has taken, freed when others are in its place: a mistake that is
# detected when the process gives back what it keeps, before anybody else gets the object.
{
	my ($status, $out, $err) = $node->psql('postgres', q(
		SELECT jemctx_namespace_create('taken');
		SELECT jemctx_test_ns_taken('taken') > 0;
		\echo flush
		\warn flush
		SELECT jemctx_test_ns_flush();));

	is($out, "\nt\nflush\n", 'an object that is gone is freed, with a slab in its place');
	like(
		$err,
		qr/^flush\n.*WARNING:  object \S+ of namespace "taken" was freed already$/,
		'which is detected as a double free');
	is(sql($node, "SELECT allocated = 64 AND cached = 0 FROM jemctx_namespaces WHERE name = 'taken'"),
		't', 'and what is there stays');
	sql($node, "SELECT jemctx_namespace_drop('taken')");
}

# What is made and dropped costs the process next to nothing.
cmp_ok(ask($one, "SELECT jemctx_test_ns_generations('g', 1000)"),
	'<', 200, 'a generation of a namespace leaves few bytes');

# No memory for a handle: nothing is made, nothing is lost.
is(ask($one, "SET jemctx.backend_memory_limit = '32MB'"), '', 'a session has a limit');
is(ask($one, "SELECT jemctx_test_ns_create_refused('later')"),
	'', 'a create that is refused makes nothing, and can be done again');
my $other = open_session($node);
ask($other, "SET jemctx.backend_memory_limit = '32MB'");
for my $bytes (100, 10000, 1000000)
{
	my $chunk = ask($two, "SELECT jemctx_test_ns_chunk('a', $bytes)");

	is(ask($other, "SELECT jemctx_test_ns_pfree_refused($chunk)"),
		'', "a chunk of $bytes bytes is freed without memory for a handle");
	is(figure($node, 'objects'), 0, 'and not lost');
}
close_session($_) for $one, $two, $other;

# A name that not all databases can show is none.
sql($node, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
$node->safe_psql('latin', 'CREATE EXTENSION jemctx');
for my $name ("chr(233)", "'a' || chr(127)", "E'a\\tb'")
{
	my ($status, $out, $err) = $node->psql('latin', "\\set VERBOSITY verbose\nSELECT jemctx_namespace_create($name)");

	my $must = qr/It must have from 1 to 63 characters, all of them printable ASCII/;
	like($err, qr/ERROR:  42602: invalid name of a namespace.*\nDETAIL:  $must/, "$name is no name");
}
is(sql($node, "SELECT string_agg(name, ' ' ORDER BY name) FROM jemctx_namespaces"),
	'a later', 'and the view can be read elsewhere');

# Workers that PostgreSQL's bgworker_die() ends: out of the signal handler, at any moment.
my $offset = -s $node->logfile;
my @users = map { open_session($node) } 1 .. 2;
sql($node, "SELECT jemctx_test_kill_begin('a', 1)");
for my $i (1 .. 30)
{
	my $pid = sql($node, "SELECT jemctx_test_kill_worker('a', false)");

	# they want what the worker wants, so that it is often there
	send_query($_, "SELECT count(jemctx_test_kill_load('a', $i * 100 + n)) FROM generate_series(1, 20) n") for @users;
	usleep(5000 + rand 50000);
	kill 'TERM', $pid;
	poll(sub { !kill 0, $pid }) or die "worker $pid does not end";
	my @answers = map { answer($_) } @users;
	last if grep { $_ ne '20' && !is($_, '20', 'what others use is whole') } @answers;
}
unlike(
	substr(slurp_file($node->logfile), $offset),
	qr/terminating any other active|handed out twice/,
	'no worker took the server with it');
like(sql($node, "SELECT jemctx_test_kill_check('a')"), qr/^\d+$/, 'no object was handed out twice');
close_session($_) for @users;
adds_up($node, 'after it');

$node->stop;

done_testing();
