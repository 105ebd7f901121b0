# The server under valgrind's memcheck, which is told what our contexts do with
# their memory: no chunk may be read before it is written or after it is freed,
# by us or by PostgreSQL.  pg_regress starts its server without valgrind.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

use_variant('valgrind');
plan skip_all => 'there is no valgrind' if system('valgrind --version >/dev/null 2>&1') != 0;

# jemalloc beside the system's malloc, which valgrind replaces; it does not
# follow a program that executes itself, so what the server would do that for
# is set beforehand.
my $node = new_node('main', "jemctx.process_malloc = system\nmax_parallel_workers_per_gather = 0\nautovacuum = off\n");
my $reports = PostgreSQL::Test::Utils::tempdir();
my $server;
{
	local $ENV{GLIBC_TUNABLES} = 'glibc.rtld.optional_static_tls=16384';
	my $log = $node->logfile;
	$server = IPC::Run::start(
		[   'valgrind', '--quiet', '--trace-children=yes', '--leak-check=no', '--num-callers=25',
			'--error-markers=begin-report,end-report', "--suppressions=$ENV{TESTDIR}/test/valgrind.supp",
			"--log-file=$reports/%p", 'postgres', '-D', $node->data_dir ],
		'<', \undef, '>>', $log, '2>&1');
}
wait_until_accepts($node, 600);
$node->_update_pid(1);

# The reports there are, as texts.
sub reports
{
	return map { slurp_file($_) =~ /begin-report\n(.*?)end-report/sg } glob("$reports/*");
}

sub succeeds
{
	my ($call) = @_;
	my ($status, undef, $err) = $node->psql('postgres', "SELECT jemctx_test_$call");

	is("$status $err", '0 ', $call);
	return;
}

$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test');
for my $lifetime (qw(persistent transient))
{
	succeeds("$_('$lifetime')")
		for qw(sizes no_memory critical callbacks parents empty list string hash parse_tree stats);
	succeeds("torture('$lifetime', 1, 40000)");
	succeeds("create('$lifetime', 1000)");
}
regress_ok($node, 'under valgrind', qw(errors cache example));
is(join('', reports()), '', 'nothing to report');

# How many reports there are of a mistake that a function makes.
sub count_reports
{
	my ($message, $function) = @_;

	return scalar grep { /$message.*jemctx_test_$function/s } reports();
}

sub is_reported
{
	my ($message, $function, $arguments) = @_;
	my $before = count_reports($message, $function);

	$node->psql('postgres', "SELECT jemctx_test_$function($arguments)");
	cmp_ok(count_reports($message, $function), '>', $before, "$function($arguments): is reported");
	return;
}

for my $lifetime (qw(persistent transient))
{
	for my $bytes (100, 5000)
	{
		is_reported('Invalid read', 'read_freed', "'$lifetime', $bytes");
		is_reported('depends on uninitialised', 'branch_on_new', "'$lifetime', $bytes");
		is_reported('Invalid read', 'overrun', "'$lifetime', $bytes, 0, 'nothing'");
	}
}
$node->stop;
$server->finish;

done_testing();
