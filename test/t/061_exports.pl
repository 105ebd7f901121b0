# What the module shows to other modules: the functions of its header, those of its SQL scripts,
# what the loader and PostgreSQL look for, and nothing else.  Failures on demand are in checking
# builds only.  No server is needed.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

# For the loader, in place of the C library's and of C++'s operator new; for PostgreSQL.
my @new =
  map { ("_Zn${_}m", "_Zn${_}mRKSt9nothrow_t", "_Zn${_}mSt11align_val_t", "_Zn${_}mSt11align_val_tRKSt9nothrow_t") }
  qw(w a);
my @fixed = (
	qw(malloc calloc realloc aligned_alloc memalign valloc posix_memalign), @new,
	qw(__register_atfork mmap Py_Initialize _PG_init Pg_magic_func jemctx_keeper_main));
my @debug = ('jemctx_debug_refuse_all', sql_functions(qw(jemctx_debug_check jemctx_debug_fault jemctx_debug_fault_names
		jemctx_debug_fault_pauses)));

sub config
{
	my ($bindir, $option) = @_;

	chomp(my $directory = `$bindir/pg_config --$option`);
	return $directory;
}

# A function that SQL calls has another that describes it.
sub sql_functions
{
	return map { ($_, "pg_finfo_$_") } @_;
}

sub promised
{
	my ($bindir) = @_;
	my $header = slurp_file(config($bindir, 'includedir-server') . '/extension/jemctx/jemctx.h');
	my @scripts = glob config($bindir, 'sharedir') . '/extension/jemctx--*.sql';

	my $function = qr/^CREATE FUNCTION (\w+)\(.*?^AS 'MODULE_PATHNAME'(?:, '(\w+)')?/ms;
	my $sql = join('', map { slurp_file($_) } @scripts);
	my @names;

	push(@names, $2 // $1) while $sql =~ /$function/g;
	return (@fixed, $header =~ /^extern PGDLLEXPORT .*?(\w+)\(/mg, sql_functions(@names));
}

sub exported
{
	my ($bindir) = @_;
	my $module = config($bindir, 'pkglibdir') . '/jemctx.so';

	return map { /^\S+ \w (\w+)$/ ? $1 : () } split /\n/, `nm -D --defined-only $module`;
}

sub exports
{
	my ($what, $bindir, @expected) = @_;
	my %expected = map { $_ => 1 } @expected;

	is(join("\n", sort(exported($bindir))), join("\n", sort keys %expected), "$what: exported is what was promised");
	return;
}

my ($installed) = grep { -x "$_/pg_config" && -x "$_/postgres" } split /:/, $ENV{PATH};
my $checking = ($ENV{BUILD_VARIANTS} // '') . '/checking/bin';

exports('ordinary build', $installed, promised($installed));
cmp_ok(scalar(grep { /^jemctx_/ } promised($installed)), '>', 30, 'which are many functions');
SKIP:
{
	skip 'test/run has not built the variant "checking"', 1 if !-x "$checking/pg_config";
	exports('checking build', $checking, promised($checking), @debug);
}

done_testing();
