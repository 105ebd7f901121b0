# What the benchmarks share: servers of several variants, and sessions.
#
# A program calls begin() with the defaults of its options, servers() for the
# variants, measures, and ends with goals() and save().
package Bench;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(basename);
use File::Copy qw(copy);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use FindBin;
use Getopt::Long qw(GetOptions);
use IPC::Run ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep);

# beside it where the benchmark is copied to
use lib "$FindBin::RealBin/..";
use Group qw(in_group make_group);
use Kernel;
use Report ();
use Session qw(start_session send_query answer has_ended is_answered close_session);

our @EXPORT = (qw(begin close_session configure end_queries end_query pgbench prepare query read_statements restart
	restart_below save servers session start_query), @Kernel::EXPORT);

# Where each variant's malloc comes from. The library is looked for in the
# server's map of memory, so that a preload without effect is not measured.
my $never = 4294967296;
my %variants = (
	'stock' => {},
	'stock-again' => {},	# what differs from stock is chance
	'jemctx' => { settings => ["shared_preload_libraries = 'jemctx'"], library => 'jemctx.so' },
	'jemctx-shed' => {
		settings => [ "shared_preload_libraries = 'jemctx'", "jemctx.idle_cache_limit = '1MB'",
			'jemctx.idle_cache_after = 0' ],
		library => 'jemctx.so'
	},
	# all processes together keep little for their next statements
	'jemctx-budget' => {
		settings => [ "shared_preload_libraries = 'jemctx'", "jemctx.kept_memory_limit = '256MB'" ],
		library => 'jemctx.so'
	},
	# idle backends soon drop large catalog caches
	'jemctx-caches' => {
		settings => [ "shared_preload_libraries = 'jemctx'", "jemctx.idle_cache_limit = '1MB'",
			"jemctx.idle_cache_after = '20s'" ],
		library => 'jemctx.so'
	},
	# in the control group of the benchmark's option --group
	'jemctx-group' => {
		settings => ["shared_preload_libraries = 'jemctx'"],
		library => 'jemctx.so',
		group => 1
	},
	'jemctx-namespaces' => {
		settings => [ "shared_preload_libraries = 'jemctx'", "jemctx.namespace_memory = '2GB'",
			'max_connections = 250' ],
		library => 'jemctx.so',
	},
	# room for as many objects as memory may have
	'jemctx-region' => {
		settings => [ "shared_preload_libraries = 'jemctx'", "jemctx.namespace_memory = '16GB'" ],
		library => 'jemctx.so',
	},
	'jemalloc' => { preload => 'libjemalloc.so.2', package => 'libjemalloc2' },
	'glibc-never-trim' => {
		environment => {
			MALLOC_TRIM_THRESHOLD_ => $never,
			MALLOC_MMAP_THRESHOLD_ => $never,
			MALLOC_TOP_PAD_ => 64 * 1024 * 1024,
		},
	},
	# another build, in the installation whose pg_config the environment has as BEFORE
	'before' => { settings => ["shared_preload_libraries = 'jemctx'"], library => 'jemctx.so',
		programs => $ENV{BEFORE} },
	'before-namespaces' => {
		settings => [ "shared_preload_libraries = 'jemctx'", "jemctx.namespace_memory = '2GB'" ],
		library => 'jemctx.so',
		programs => $ENV{BEFORE}
	},
	'tcmalloc' => { preload => 'libtcmalloc_minimal.so.4', package => 'libtcmalloc-minimal4' },
	'mimalloc' => { preload => 'libmimalloc.so.2', package => 'libmimalloc2.0' },
);

my @settings = (
	"listen_addresses = ''",
	'fsync = off',
	"shared_buffers = '256MB'",
	"max_wal_size = '4GB'",
	"checkpoint_timeout = '1h'",
	'autovacuum = off',
	'jit = off',
	'max_parallel_workers_per_gather = 0',
	"work_mem = '64MB'",
	'max_connections = 250',
);

my $main_pid = $$;
my $base;		# the directory of the clusters
my $copy;		# what become_user() has made, and the copy removes
my @running;	# the servers
my @prepared;	# what prepare() was given
my @configured;	# what configure() was given
my $bindir;
my %opt;
my $json;
my %costs;		# in microseconds

#
# Options, the user, the head of the report
#

# Parse the options, whose defaults are given; become an ordinary user if we
# are root; print what is measured on.
sub begin
{
	my (%defaults) = @_;
	my @arguments = @ARGV;
	my @types = map { $_ . ($_ eq 'quick' ? '' : $defaults{$_} =~ /^\d+$/ ? '=i' : '=s') } sort keys %defaults;

	%opt = (%defaults, set => []);
	GetOptions(\%opt, @types, 'set=s@', 'json=s', 'help') && !@ARGV && !$opt{help} or usage(%defaults);
	check_options();
	open_json();
	make_group($opt{group}) if defined $opt{group} && $> == 0;
	become_user(@arguments) if $> == 0;
	$copy = $FindBin::RealBin if ($ENV{JEMCTX_BENCH_COPY} // '') eq $FindBin::RealBin;
	find_programs();
	$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
	$| = 1;
	print_head(%defaults);
	return %opt;
}

sub usage
{
	my (%defaults) = @_;
	my $known = join(', ', sort keys %variants);

	print STDERR 'usage: ', basename($0), " [OPTION ...]\n";
	print STDERR "  --$_ ($defaults{$_})\n" for sort keys %defaults;
	print STDERR "  --set VARIANT:name=value (may be repeated)\n  --json FILE\n";
	print STDERR "variants: $known\n" if $defaults{variants};
	exit($opt{help} ? 0 : 2);
}

sub check_options
{
	for my $name (split(/,/, $opt{variants} // ''), map { /^([^:]*):/ } @{ $opt{set} })
	{
		$variants{$name} or die "unknown variant: \"$name\"\n";
	}
	/^[^:]+:[\w.]+=/ or die "not VARIANT:name=value: \"$_\"\n" for @{ $opt{set} };
	for my $name (qw(pairs seconds scale sessions))
	{
		die "--$name must be at least 1\n" if defined $opt{$name} && $opt{$name} < 1;
	}
}

# Opened before the user changes, who could not write where root can.
sub open_json
{
	if (defined(my $fd = delete $ENV{JEMCTX_BENCH_JSON}))
	{
		open($json, '>&=', $fd) or die "could not open descriptor $fd: $!\n";
	}
	elsif (defined $opt{json})
	{
		local $^F = 255;
		open($json, '>', $opt{json}) or die "could not open \"$opt{json}\": $!\n";
	}
}

# initdb and postgres refuse to run as root.
sub become_user
{
	my (@arguments) = @_;
	my $user = 'postgres';
	my (undef, undef, $uid, $gid) = getpwnam($user) or die "there is no user \"$user\"\n";

	$copy = tempdir('jemctx-bench.XXXXXX', TMPDIR => 1);
	for my $file (grep { -f } glob("$FindBin::RealBin/* $FindBin::RealBin/../*.pm"))
	{
		copy($file, $copy) or die "could not copy \"$file\": $!\n";
	}
	chown($uid, $gid, $copy, glob("$copy/*"));
	chdir($copy) or die "could not change to \"$copy\": $!\n";
	$ENV{HOME} = $ENV{JEMCTX_BENCH_COPY} = $copy;
	$ENV{JEMCTX_BENCH_JSON} = fileno($json) if $json;
	exec('runuser', '-u', $user, '--', $^X, "$copy/" . basename($0), @arguments) or die "could not run runuser: $!\n";
}

sub find_programs
{
	my $pg_config = $ENV{PG_CONFIG} // '/usr/lib/postgresql/15/bin/pg_config';

	delete @ENV{ grep { /^PG/ } keys %ENV };
	chomp($bindir = run($pg_config, '--bindir'));
}

sub environment
{
	my ($version) = run("$bindir/postgres", '--version') =~ /\) (.*)/;
	my (undef, undef, $kernel, undef, $machine) = POSIX::uname();

	my ($cpu) = contents('/proc/cpuinfo') =~ /^model name\s*: (.*)/m;
	my ($kb) = contents('/proc/meminfo') =~ /^MemTotal: +(\d+)/m;

	chomp(my $cores = run('nproc'));
	return (postgresql => $version, kernel => "Linux $kernel $machine", cpu => $cpu // $machine, cores => $cores,
		memory => sprintf('%.1f GB', $kb / 1048576));
}

sub print_head
{
	my (%defaults) = @_;
	my %about = environment();

	print basename($0), ": PostgreSQL $about{postgresql}, $about{kernel}, $about{cores} cores\n";
	print join(', ', map { "$_ $opt{$_}" } sort keys %defaults), "\n";
	print "set $_\n" for @{ $opt{set} };
	print join(', ', @settings[1 .. $#settings]), "\n\n";
}

#
# Servers
#

# Have statements, each of one line, executed before any server is started, so
# that none has their traces in its memory.
sub prepare
{
	@prepared = @_;
}

# Have all servers started with these settings, whatever their variants say.
sub configure
{
	@configured = @_;
	print 'all servers: ', join(', ', @configured), "\n\n";
}

# Start a server of each of the variants, stock first; those without a library
# are left out.
sub servers
{
	my @names = ('stock', grep { $_ ne 'stock' && available($_) } @_);
	my $template;

	grep { $_ eq 'stock' } @_ or die "stock, which all else is compared with, must be among the variants\n";
	$base = tempdir('jemctx-bench.XXXXXX', TMPDIR => 1, CLEANUP => 0);
	$template = "$base/template";
	run("$bindir/initdb", '--no-sync', '--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C',
		$template);
	my @single = ("$bindir/postgres", '--single', '-F', '-c', 'log_checkpoints=off', '-D', $template, 'postgres');
	IPC::Run::run(\@single, '<', \join("\n", @prepared, ''), '>', '/dev/null')
		or die "could not prepare the servers\n" if @prepared;
	for my $name (grep { exists $variants{$_}{programs} } @names)
	{
		my $pg_config = $variants{$name}{programs} // die "BEFORE must name the pg_config of the other build\n";

		chomp($variants{$name}{bindir} = run($pg_config, '--bindir'));
	}
	my @servers = map { start($_, $template) } @names;

	print_costs($servers[0]);
	return @servers;
}

# What ratios depend on; an extension of ours measures it, which leaves no traces.
sub print_costs
{
	my ($server) = @_;
	my $session = session($server);

	query($session, 'CREATE EXTENSION jemctx_bench');
	@costs{qw(page_fault system_call malloc_64)} =
	  map { $_ / 1000 } split(/\|/, query($session, 'SELECT * FROM jemctx_bench_costs()'));
	query($session, 'DROP EXTENSION jemctx_bench');
	close_session($session);
	printf("a page fault costs %.2f us here, a system call %.2f us, malloc(64) and free %.3f us\n\n",
		@costs{qw(page_fault system_call malloc_64)});
}

sub available
{
	my ($name) = @_;
	my $library = $variants{$name}{preload} or return 1;
	my $message = '';

	local $ENV{LD_PRELOAD} = $library;
	IPC::Run::run(['true'], '2>', \$message);
	return 1 if $message !~ /cannot be preloaded/;
	print "$name is left out: $library is missing (apt-get install $variants{$name}{package})\n";
	return 0;
}

sub start
{
	my ($name, $template) = @_;
	my $variant = $variants{$name};
	my $data = "$base/$name";
	my $server = { name => $name, data => $data, socket => "$data/.s.PGSQL.5432" };

	run('cp', '-a', $template, $data);
	append(
		"$data/postgresql.conf", @settings,
		"unix_socket_directories = '$data'",
		@{ $variant->{settings} // [] },
		@configured, chosen($name));
	push(@running, $server);
	launch($server);
	return $server;
}

sub launch
{
	my ($server) = @_;
	my $variant = $variants{ $server->{name} };

	$variant->{group} ? in_group(sub { start_postmaster($server, $variant) }) : start_postmaster($server, $variant);
	$server->{pid} = postmaster($server);
	check_library($server, $variant->{preload} // $variant->{library});
}

sub start_postmaster
{
	my ($server, $variant) = @_;
	my $log = "$base/$server->{name}.log";

	local %ENV = (%ENV, %{ $variant->{environment} // {} }, %{ $server->{environment} // {} });
	$ENV{LD_PRELOAD} = $variant->{preload} if $variant->{preload};
	my $programs = $variant->{bindir} // $bindir;
	my @program = $server->{program} ? ('-p', $server->{program}) : ();
	IPC::Run::run(["$programs/pg_ctl", 'start', '-w', '-s', @program, '-D', $server->{data}, '-l', $log], '>',
		'/dev/null', '2>&1')
		or die "could not start the $server->{name} server:\n", contents($log);
}

# Two servers that do not differ may differ by a few per cent for as long as
# they run.
sub restart
{
	my ($server) = @_;

	run("$bindir/pg_ctl", 'stop', '-w', '-s', '-m', 'fast', '-D', $server->{data});
	launch($server);
}

# Start a server with jemctx anew below a program that cannot follow it when it
# executes itself: with all that it would do that for.
sub restart_below
{
	my ($server, @command) = @_;
	my %environment = map { /^(\w+)=(.*)/s } split(/\0/, contents("/proc/$server->{pid}/environ"));
	my ($linker) = contents("/proc/$server->{pid}/maps") =~ m{ (/\S*/ld-\S+)$}m;
	my $postgres = "$bindir/postgres";

	# the program itself cannot have the module preloaded
	push(@command, $linker, '--preload', $environment{LD_PRELOAD}, '--argv0', $postgres, $postgres);
	$server->{environment} = { map { $_ => $environment{$_} } grep { /^(?:MALLOC_CONF$|JEMCTX_)/ } keys %environment };
	$server->{program} = "$base/below-$server->{name}";
	append($server->{program}, '#!/bin/sh', join(' ', 'JEMCTX_REEXECUTED=$$ exec', map({ "'$_'" } @command), '"$@"'));
	chmod(0755, $server->{program});
	restart($server);
}

sub append
{
	my ($path, @lines) = @_;

	open(my $file, '>>', $path) or die "could not open \"$path\": $!\n";
	print $file map { "$_\n" } @lines;
	close($file) or die "could not write \"$path\": $!\n";
}

# The settings that --set has for a variant.
sub chosen
{
	my ($name) = @_;
	my @lines;

	for (@{ $opt{set} })
	{
		my ($variant, $setting, $value) = /^([^:]+):([\w.]+)=(.*)$/;

		next if $variant ne $name;
		$value =~ s/'/''/g;
		push(@lines, "$setting = '$value'");
	}
	return @lines;
}

sub check_library
{
	my ($server, $library) = @_;

	return if !defined $library || index(contents("/proc/$server->{pid}/maps"), "/$library") >= 0;
	die "$library is not in the $server->{name} server\n";
}

sub postmaster
{
	my ($server) = @_;
	my ($pid) = -e "$server->{data}/postmaster.pid" ? contents("$server->{data}/postmaster.pid") =~ /^(\d+)/ : ();

	return $pid;
}

# An immediate shutdown: all of it is thrown away.
sub stop_servers
{
	my @pids = grep { defined } map { postmaster($_) } @running;

	kill('QUIT', @pids);
	for (1 .. 200)
	{
		@pids = grep { ((stat_fields($_))[0] // 'Z') ne 'Z' } @pids;
		last if !@pids;
		sleep(0.05);
	}
	kill('KILL', @pids);
}

END
{
	if ($$ == $main_pid)
	{
		my $status = $?;

		local $SIG{$_} = 'IGNORE' for qw(INT TERM HUP);
		stop_servers();
		chdir('/');
		remove_tree(grep { defined } $base, $copy);
		$? = $status;
	}
}

#
# Programs and sessions
#

# Run a program and return what it prints; die with its messages if it fails.
sub run
{
	my (@command) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err) or die "$command[0] failed:\n$err";
	return $out;
}

sub connection
{
	my ($server) = @_;

	return ('-h', $server->{data}, '-p', 5432, '-U', 'postgres');
}

# Run pgbench; transactions per second, and CPU seconds and minor faults of
# the server for each transaction.
sub pgbench
{
	my ($server, @arguments) = @_;
	my $processes = processes($server);
	my $before = tree_usage($server);
	my $out = run("$bindir/pgbench", connection($server), '-n', @arguments, 'postgres');
	my ($tps) = $out =~ /^tps = ([\d.]+)/m;
	my ($transactions) = $out =~ /transactions actually processed: (\d+)/;
	my $after;

	return {} if !defined $tps;
	wait_for_exits($server, $processes);
	$after = tree_usage($server);
	$transactions or die "pgbench did no transaction on the $server->{name} server:\n$out";
	return { tps => $tps, map { $_ => ($after->{$_} - $before->{$_}) / $transactions } qw(cpu faults) };
}

# A backend's figures become its postmaster's when that has reaped it.
sub wait_for_exits
{
	my ($server, $processes) = @_;

	for (1 .. 500)
	{
		return if processes($server) <= $processes;
		sleep(0.01);
	}
	die "backends of the $server->{name} server do not end\n";
}

# A psql that stays connected; with the process id of its backend.
sub session
{
	my ($server) = @_;
	my @psql = ("$bindir/psql", '-XAtq', '-v', 'ON_ERROR_STOP=1', connection($server), 'postgres');
	my $session = start_session(\@psql, server => $server, apart => 1);

	query($session, '\timing on');
	$session->{pid} = query($session, 'SELECT pg_backend_pid()');
	return $session;
}

# Have a session run a statement, without waiting for it.
sub start_query
{
	my ($session, $sql) = @_;

	$session->{sql} = $sql;
	send_query($session, $sql);
}

# What a statement answers: its output, and in list context also its time in
# milliseconds as psql sees it.
sub end_query
{
	my ($session) = @_;
	my $text = answer($session);
	my $ms;

	die "the $session->{server}{name} server failed at \"$session->{sql}\":\n$session->{err}" if has_ended($session);
	$ms = $1 if $text =~ s/^Time: ([\d.]+) ms.*\n?//m;
	chomp($text);
	return wantarray ? ($text, $ms) : $text;
}

# What sessions answer whose statements wait for each other: when one fails the others would for ever.
sub end_queries
{
	my (@sessions) = @_;
	my @waiting = @sessions;

	while (@waiting = grep { !is_answered($_) } @waiting)
	{
		end_query($_) for grep { has_ended($_) } @sessions;
		sleep 0.02;
	}
	return map { scalar(end_query($_)) } @sessions;
}

# Run a statement in a session.
sub query
{
	my ($session, $sql) = @_;

	start_query($session, $sql);
	return end_query($session);
}

# What is in statements.sql: the setup's statements, then the others with their names; each in one line.
sub read_statements
{
	my @blocks;

	for my $block (split(/^-- @ /m, contents("$FindBin::RealBin/statements.sql")))
	{
		my ($name, $sql) = $block =~ /^(\S[^\n]*)\n(.*)/s ? ($1, $2) : next;

		next if $name =~ /^--/;
		push(@blocks, { name => $name, sql => [ map { s/\s*\n\s*/ /gr } split(/;\n\s*/, $sql) ] });
	}
	return @blocks;
}

#
# The raw figures
#

# Write the raw figures, and what was printed of them, where --json says.
sub save
{
	my (%figures) = @_;

	return if !$json;
	print $json JSON::PP->new->canonical->pretty->encode(
		{ program => basename($0), environment(), options => { map { $_ => $opt{$_} } grep { $_ ne 'json' } keys %opt },
			costs => \%costs, %figures, printed => Report::printed() });
	close($json) or die "could not write the raw figures: $!\n";
}

1;
