# Ways to start a server in which the postmaster cannot simply execute itself
# again.  pg_regress has a server that starts.
#
# It waits most of the time.
use strict;
use warnings;

use File::Basename;
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = new_node('main');
my $data = $node->data_dir;
my $directory = $node->basedir;
my $bindir = $node->config_data('--bindir');

# An executable file.
sub write_program
{
	my ($path, $text) = @_;

	append_to_file($path, $text);
	chmod 0755, $path or die;
	return $path;
}

# A library to preload that does something before main().
sub write_library
{
	my ($name, $code) = @_;

	return compile_library($directory, $name, <<"SOURCE");
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));
__attribute__((constructor)) static void start(void)
{
	if (mallctl)
		$code;
}
SOURCE
}

# A library that hangs before main() is waited for, so that server tries while others do, and says so below.
my $hanging = new_node('hanging');
my $hanging_library = write_library('hang', 'for (;;) pause()');
my $hanging_start;
{
	local $ENV{LD_PRELOAD} = $hanging_library;
	unlink $hanging->logfile;
	$hanging_start = IPC::Run::start(
		[ 'pg_ctl', '-w', '-s', '-D', $hanging->data_dir, '-l', $hanging->logfile, 'start' ],
		'<', \undef, '>', '/dev/null', '2>', '/dev/null');
}

#
# A script in front of the program that gives its own name
#
my $tree = "$directory/wrapped";
for my $part ('--pkglibdir', '--sharedir')
{
	# the server looks for these beside the script
	my $place = $node->config_data($part);
	make_path(dirname("$tree$place"));
	symlink($place, "$tree$place") or die;
}
make_path("$tree$bindir");
my $wrapper =
  write_program("$tree$bindir/postgres", qq(#!/bin/bash\nexport WRAPPED=1\nexec -a "\$0" '$bindir/postgres' "\$@"\n));

system_or_bail('pg_ctl', '-s', '-w', '-D', $data, '-l', $node->logfile, '-p', $wrapper, 'start');
is(info($node, 'origin'), 're-executed', 'wrapper: runs on jemalloc');
like(
	slurp_file("$data/postmaster.opts"),
	qr/^\Q$wrapper\E "-D"/,
	'wrapper: postmaster.opts names it, as without jemctx');
my ($pid) = split /\n/, slurp_file("$data/postmaster.pid");
is(slurp_file("/proc/$pid/comm"), "postgres\n", 'wrapper: the process has the name of the program');
is(readlink("/proc/$pid/exe"), "$bindir/postgres", 'wrapper: which is the one that it executes');
system_or_bail('pg_ctl', '-s', '-w', '-D', $data, '-l', $node->logfile, 'restart');
is(info($node, 'origin'), 're-executed', 'wrapper: and after a restart');
($pid) = split /\n/, slurp_file("$data/postmaster.pid");
like(slurp_file("/proc/$pid/environ"), qr/\0WRAPPED=1\0/, 'wrapper: which starts the script again');
system_or_bail('pg_ctl', '-s', '-w', '-D', $data, 'stop');
ok(!-e "$data/postmaster.pid", 'wrapper: stops');

#
# Preloaded libraries that do not get along with jemalloc
#
{
	local $ENV{LD_PRELOAD} = write_library('crash', 'abort()');
	fails_to_start(
		$node, '', 'crash before main()',
		qr/FATAL:  the server does not start together with jemalloc/,
		qr/DETAIL:  A trial with LD_PRELOAD=\S*jemalloc\S*crash\.so: it was ended by signal 6/,
		qr/HINT:  Start the server without "$ENV{LD_PRELOAD}" in LD_PRELOAD/);
	{
		my ($in, $err) = ('', '');

		# as somebody may start it who does not wait for children
		IPC::Run::run([ 'perl', '-e', '$SIG{CHLD} = "IGNORE"; exec @ARGV', 'postgres', '--single', '-D', $data,
			'postgres' ],
			'<', \$in, '>', '/dev/null', '2>', \$err);
		like(
			$err,
			qr/does not start together with jemalloc.*it was ended by signal 6/s,
			'crash before main(): told where SIGCHLD is ignored, too');
	}
	$node->append_conf('postgresql.conf', "jemctx.process_malloc = system\n");
	$node->start;
	is(info($node, 'origin'), 'dlopened', 'crash before main(): the way out');
	$node->stop;
	$node->append_conf('postgresql.conf', "jemctx.process_malloc = jemalloc\n");
}
{
	local $ENV{LD_PRELOAD} = write_library('fail', 'write(2, "no such luck\n", 13), _exit(3)');
	fails_to_start(
		$node, '', 'exit before main()',
		qr/DETAIL:  A trial with LD_PRELOAD=\S*: it ended with exit code 3\s+no such luck/);
}
{
	local $ENV{LD_PRELOAD} = $hanging_library;
	my $log = $node->logfile;

	# which pg_ctl would wait for
	for my $signal ('TERM', 'INT', 'QUIT')
	{
		my $child = fork;
		if ($child == 0)
		{
			open(STDERR, '>>', $log);
			exec("$bindir/postgres", '-D', $data);
		}
		ok(poll(sub { `pgrep -P $child` }), "hang before main(): is tried in a child");
		my ($trial) = split /\n/, `pgrep -P $child`;
		kill $signal, $child;
		waitpid($child, 0);
		is($? >> 8, 1, "hang before main(): $signal ends the start");
		ok(poll(sub { !kill 0, $trial }), "hang before main(): and the trial");
		ok(!-e "$data/postmaster.pid", "hang before main(): nothing is left");
	}
}

# The server is not where it was started when it starts over.
{
	local $ENV{LD_PRELOAD} = './' . basename(write_library('near', 'write(2, "near", 4)'));
	my $relative = qr/the relative path "\.\/near\.so"/;
	in_directory($directory, sub {
		fails_to_start(
			$node, '', 'relative path',
			qr/FATAL:  jemctx could not restart the server with jemalloc: LD_PRELOAD has $relative/,
			qr/HINT:  Make it absolute\./);
	});
}

# One that hangs in the server alone still ends when it is told to.
{
	my ($first, $second) = ("$directory/first", "$directory/second");
	local $ENV{LD_PRELOAD} = write_library('later',
		"for (; access(\"$first\", F_OK) == 0 || rename(\"$second\", \"$first\") != 0;) pause()");
	append_to_file("$directory/second", '');
	my $child = fork;
	if ($child == 0)
	{
		open(STDERR, '>>', $node->logfile);
		exec("$bindir/postgres", '-D', $data);
	}
	ok(poll(sub { (slurp_file("/proc/$child/environ") // '') =~ /JEMCTX_REEXECUTED/ }), 'late hang: executed again');
	kill 'TERM', $child;
	waitpid($child, 0);
	is($?, 15, 'late hang: ended by a signal');
}

#
# A program that the dynamic linker does not trust
#
SKIP:
{
	# a bit for another group of ours does what file capabilities do
	my ($other) = grep { $_ != $) } split / /, $( . '';
	my $program = "$tree$bindir/postgres_setgid";

	skip 'this user is in one group only', 5 if !defined $other;
	system_or_bail('cp', "$bindir/postgres", $program);
	if (!chown(-1, $other, $program) || !chmod(02755, $program) || `LD_SHOW_AUXV=1 '$program' --version` =~ /AT_SECURE/)
	{
		unlink $program;
		skip 'cannot make a set-group-ID program here', 5;
	}
	for my $mode ('jemalloc', 'system')
	{
		my ($out, $err) = run_command([ $program, '-D', $data, '-c', "jemctx.process_malloc=$mode" ]);
		like($err, qr/FATAL:  jemctx cannot bring jemalloc into this server/, "capabilities, $mode: says so");
		like($err, qr/HINT:  Remove them, for example with "setcap -r"/, "capabilities, $mode: and what to do");
	}
	ok(!-e "$data/postmaster.pid", 'capabilities: nothing is left');
	unlink $program;
}

# It has been waited for long enough.
$hanging_start->finish;
isnt($hanging_start->result, 0, 'hang before main(): does not start');
my $said = slurp_file($hanging->logfile);
like($said, qr/DETAIL:  A trial with LD_PRELOAD=\S*: it did not end within \d+ seconds/, 'hang before main(): says so');
like($said, qr/HINT:  Start the server without "$hanging_library" in LD_PRELOAD/, 'hang before main(): and what to do');
unlike($said, qr/starting PostgreSQL|terminated by signal/, 'hang before main(): ends at once');
ok(!-e $hanging->data_dir . '/postmaster.pid', 'hang before main(): nothing is left of a start that gave up');

$node->start;
is(info($node, 'origin'), 're-executed', 'and it starts without all that');
$node->stop;

done_testing();
