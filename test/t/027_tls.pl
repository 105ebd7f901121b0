# An encrypted connection: what OpenSSL has received and not handed out yet is
# not seen at the socket, and must not be waited for.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

my $node = PostgreSQL::Test::Cluster->new('main', own_host => 0);
$node->init;
my $data = $node->data_dir;
run_log([ 'openssl', 'req', '-new', '-x509', '-days', '2', '-nodes', '-subj', '/CN=localhost', '-keyout',
	"$data/server.key", '-out', "$data/server.crt" ])
  or plan skip_all => 'there is no openssl';
chmod 0600, "$data/server.key" or die $!;
my $port = $node->port;
$node->append_conf('postgresql.conf',
	"shared_preload_libraries = 'jemctx'\njit = off\nssl = on\n"
	  . "listen_addresses = '127.0.0.1'\njemctx.idle_purge_after = 200\n");
append_to_file("$data/pg_hba.conf", "hostssl all all 127.0.0.1/32 trust\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx');
my $connstr = "host=127.0.0.1 port=$port dbname=postgres sslmode=require";
my $observer = session($node);
my $session = session($node, connstr => $connstr);

is(query($session, 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'), 't', 'the connection is encrypted');
query($session, big_sorts());
ok(poll(sub { backend($observer, $session, 'committed') < 12e6 }), 'memory comes back');
is(query($session, 'SELECT 1'), '1', 'it goes on');

# One record of TLS holds more than PostgreSQL reads at once: statements of all
# sizes around it, one after the other and in pipelines.
for my $size (8000 .. 8010, 8180 .. 8200, 16000, 16300 .. 16400, 40000)
{
	my $length = query($session, "SELECT length('" . ('x' x $size) . "')");

	fail("a statement of $size bytes: $length") if $length ne $size;
}
my $script = $node->basedir . '/pipeline.sql';
append_to_file($script,
		"\\startpipeline\n"
	  . join('', map { "SELECT length('" . ('x' x (1000 + 37 * $_)) . "');\n" } 1 .. 30)
	  . "\\endpipeline\n");
pgbench_ok('a pipeline does not wait', '-f', $script, '-t', 50, '-M', 'extended', $connstr);
$node->stop;

done_testing();
