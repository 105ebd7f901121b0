# What the TAP tests of jemctx share: servers with jemctx, started as users
# start them, and a session's answers.
package JemctxTest;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_node info fails_to_start in_directory committed_is_exact);

# A cluster with jemctx preloaded and the extension created, not running.
sub new_node
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'jemctx'\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION jemctx');
	$node->stop;
	$node->append_conf('postgresql.conf', $conf) if defined $conf;
	return $node;
}

# A value of jemctx_info.
sub info
{
	my ($node, $name) = @_;

	return $node->safe_psql('postgres', "SELECT value FROM jemctx_info WHERE name = '$name'");
}

# Run code in a directory.
sub in_directory
{
	my ($directory, $code) = @_;
	my $back = abs_path('.');

	chdir $directory or die "cannot go to $directory: $!";
	my @result = $code->();
	chdir $back or die "cannot go back to $back: $!";
	return wantarray ? @result : $result[0];
}

# The server must not start, once, and say why in its log.
sub fails_to_start
{
	my ($node, $conf, $what, @messages) = @_;

	unlink $node->logfile;
	my $file = $node->data_dir . '/postgresql.conf';
	my $original = slurp_file($file);
	$node->append_conf('postgresql.conf', $conf);
	is($node->start(fail_ok => 1), 0, "$what: does not start");
	my $log = slurp_file($node->logfile);
	like($log, $_, "$what: says $_") for @messages;
	unlike($log, qr/starting PostgreSQL|terminated by signal/, "$what: ends at once");
	open(my $handle, '>', $file) or die $!;
	print $handle $original;
	close $handle;
	return;
}

# Our count of committed memory is jemalloc's, to the byte.
sub committed_is_exact
{
	my ($node, $what) = @_;

	is( $node->safe_psql(
			'postgres', q(
			SELECT count(*) FILTER (WHERE committed = active + dirty), count(*) FROM jemctx_arenas
			WHERE name IN ('process', 'persistent'))),
		'2|2', "$what: committed is active and dirty");
	return;
}

1;
