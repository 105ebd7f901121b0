# What monitoring/ has for Prometheus and Grafana, with Debian's exporter and Prometheus: all metrics arrive, with
# what the views say, and every expression of the dashboard has an answer.
use strict;
use warnings;

use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;

for my $program (qw(prometheus prometheus-postgres-exporter))
{
	plan skip_all => "Debian's $program is not installed" if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

my $directory = PostgreSQL::Test::Utils::tempdir();
my $monitoring = "$ENV{TESTDIR}/monitoring";
my $http = HTTP::Tiny->new(timeout => 60);
my @programs;

END
{
	my $status = $?;

	$_->kill_kill for @programs;
	$? = $status;
}

# Start a program that serves HTTP there, and wait until it does.
sub start_program
{
	my ($address, @command) = @_;
	my $log = "$directory/$command[0].log";

	push(@programs, IPC::Run::start([ @command, "--web.listen-address=$address" ], '<', \undef, '>', $log, '2>&1'));
	poll(sub { $http->get("http://$address/")->{success} })
	  or die "$command[0] does not answer: " . slurp_file($log);
	return;
}

sub free_address
{
	return '127.0.0.1:' . PostgreSQL::Test::Cluster::get_free_port();
}

#
# The queries file: [metric, type], and the labels of each query.
#

my (%type, %labels, $query);
my $queries = slurp_file("$monitoring/jemctx_exporter.yaml");

for (split /\n/, $queries)
{
	$query = $1 if /^(\w+):$/;
	my ($name, $usage) = /^    - (\w+): \{usage: (\w+), description: ".+"\}$/ or next;
	push(@{ $labels{$query} }, $name) if $usage eq 'LABEL';
	$type{"${query}_$name"} = lc $usage if $usage ne 'LABEL';
}
is(keys(%type) + map({ @$_ } values %labels), scalar(() = $queries =~ /\busage\b/g), 'the queries file is understood');

#
# A server that has something to tell.
#

my $node = new_node('main', "jemctx.server_memory_limit = '512MB'\njemctx.kept_memory_limit = '100MB'\n"
	  . "jemctx.idle_purge_after = -1\njemctx.namespaces = 'shelf:8MB, empty'\n");

$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION jemctx_test; CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
	CREATE ROLE clerk LOGIN');
my $session = session($node);
my $clerk = session($node, connstr => $node->connstr('postgres') . ' user=clerk');
my $observer = session($node);

query($session, "SELECT jemctx_test_ns_fill('shelf', 100, 1000000)");
# a sort that is held
query($session, "SET work_mem = '64MB'; BEGIN; DECLARE c CURSOR FOR
	SELECT md5(g::text) || repeat('x', 1000) m FROM generate_series(1, 20000) g ORDER BY m; FETCH c");
like(query($clerk, "SET jemctx.idle_purge_after = -1; SELECT length(repeat('x', 600000000))"),
	qr/ERROR:  out of memory/, 'the limit refuses something');
query($clerk, 'SELECT jemctx_purge()');

#
# The exporter, as a member of pg_monitor, and Prometheus.
#

my ($exporter, $prometheus) = (free_address(), free_address());

$ENV{DATA_SOURCE_NAME} = 'host=' . $node->host . ' port=' . $node->port . ' user=monitor dbname=postgres';
start_program($exporter, 'prometheus-postgres-exporter', "--extend.query-path=$monitoring/jemctx_exporter.yaml");
append_to_file("$directory/prometheus.yml", <<"YAML");
global: {scrape_interval: 2s}
scrape_configs: [{job_name: postgresql, static_configs: [{targets: ['$exporter']}]}]
YAML
start_program($prometheus, 'prometheus', "--config.file=$directory/prometheus.yml",
	"--storage.tsdb.path=$directory/data");
# It listens before it answers.
ok(poll(sub { $http->get("http://$prometheus/-/ready")->{success} }), 'Prometheus is ready')
  or diag slurp_file("$directory/prometheus.log");

# What Prometheus says to a question; it has all of its answers in "data".
sub ask
{
	my ($what, %parameters) = @_;
	my $response = $http->get("http://$prometheus/api/v1/$what?" . $http->www_form_urlencode(\%parameters));
	my $answer = eval { decode_json($response->{content}) } // {};

	diag "$what @{[%parameters]}: $response->{content}" if ($answer->{status} // '') ne 'success';
	return $answer->{data};
}

# The series of an expression: [labels, value].
sub series
{
	my ($expression) = @_;

	return map { [ $_->{metric}, $_->{value}[1] ] } @{ ask('query', query => $expression)->{result} // [] };
}

# An expression comes to have those values, in this order.
sub becomes
{
	my ($expression, $wanted, $what) = @_;
	my $found;

	poll(sub { ($found = join(' ', map { $_->[1] } series($expression))) eq $wanted });
	is($found, $wanted, $what);
	return;
}

my @series;

poll(sub { @series = series('{__name__=~"jemctx_.+"}') }) or diag slurp_file("$directory/prometheus.log");
becomes('up', '1', 'Prometheus has the exporter');
becomes('pg_up', '1', 'which has the server');
becomes("pg_exporter_$_", '0', "without an error: $_") for qw(last_scrape_error user_queries_load_error);

#
# All metrics arrive, and are what Prometheus wants.
#

my %arrived = map { $_->[0]{__name__} => 1 } @series;
my $metadata = ask('metadata');
my %metric_type = map { $_ => $metadata->{$_}[0]{type} // 'none' } keys %arrived;

is_deeply(\%metric_type, \%type, 'all metrics arrive, and no others, with their types');
for my $name (sort keys %labels, 'jemctx_server')
{
	my @wanted = sort @{ $labels{$name} // [] }, qw(__name__ instance job server);
	my %found = map { join(' ', sort keys %{ $_->[0] }) => 1 } grep { $_->[0]{__name__} =~ /^${name}_/ } @series;

	is(join(', ', keys %found), join(' ', @wanted), "$name: labels");
}
my $metrics = join('', grep { /^(?:# \w+ )?jemctx_/ } split /^/, $http->get("http://$exporter/metrics")->{content});
my $lint = '';
IPC::Run::run([ 'promtool', 'check', 'metrics' ], '<', \$metrics, '>', \$lint, '2>&1');
is($lint, '', 'promtool has nothing to say about them');

#
# They are what the views say. What the exporter's own sessions change with each look is not compared.
#

my $views = q(
	SELECT 'jemctx_build_info', (SELECT value FROM jemctx_info WHERE name = 'jemalloc_version'), 1
	UNION ALL
	SELECT 'jemctx_server_' || m, '', v FROM jemctx_server, LATERAL (VALUES ('processes', processes),
		('namespaces_bytes', namespaces), ('kept_limit_bytes', kept_limit), ('machine_bytes', machine_total),
		('pressure', 0), ('refused_total', refused), ('pressure_begun_total', pressure_begun)) AS c (m, v)
	UNION ALL
	SELECT 'jemctx_limit_' || m, limit_source, v
	FROM jemctx_server, LATERAL (VALUES ('bytes', memory_limit), ('reserved_bytes', reserved)) AS c (m, v)
	UNION ALL
	SELECT 'jemctx_backends_' || m, backend_type, v
	FROM (SELECT backend_type, count(*) AS n, max(committed) AS largest, max(committed_peak) AS peak,
			sum(refused) AS refused, sum(coalesce(purges, 0)) AS purges, sum(coalesce(purged, 0)) AS purged
		FROM jemctx_backends GROUP BY backend_type) AS b,
		LATERAL (VALUES ('processes', n), ('largest_bytes', largest), ('peak_bytes', peak), ('refused', refused),
			('purges', purges), ('purged_bytes', purged)) AS c (m, v)
	UNION ALL
	SELECT 'jemctx_namespaces_' || m, name, v FROM jemctx_namespaces, LATERAL (VALUES ('limit_bytes', size_limit),
		('allocated_bytes', allocated), ('cached_bytes', cached), ('free_bytes', free), ('committed_bytes', committed),
		('resident_bytes', resident), ('objects', objects), ('refused_total', refused), ('fills_total', fills),
		('flushes_total', flushes)) AS c (m, v));
my (%said, %shown);

# Both at one time, as soon as there is one at which they agree.
poll(sub {
		%said = map { /^(\w+)\|(.*)\|(\d+)$/ ? ("$1 $2" => $3) : die } split /\n/, query($observer, $views);
		%shown = ();
		for (series('{__name__=~"jemctx_.+"}'))
		{
			my ($of) = map { $_ // () } @{ $_->[0] }{qw(jemalloc source backend_type name)}, '';
			my $key = "$_->[0]{__name__} $of";
			$shown{$key} = 0 + $_->[1] if exists $said{$key};
		}
		return join(' ', map { "$_ $said{$_}" } sort keys %said) eq join(' ', map { "$_ $shown{$_}" } sort keys %shown);
	});
is_deeply(\%shown, \%said, 'they are what the views say');
is($said{'jemctx_limit_bytes setting'}, 512 * 1024 * 1024, 'the limit');
cmp_ok($said{'jemctx_server_refused_total '}, '>=', 1, 'refusals');
cmp_ok($said{'jemctx_backends_refused client backend'}, '>=', 1, 'of a session, too');
cmp_ok($said{'jemctx_backends_purged_bytes client backend'}, '>', 0, 'purges');
cmp_ok($said{'jemctx_backends_largest_bytes client backend'}, '>', 20e6, 'the session that sorts is the largest');
cmp_ok($said{'jemctx_namespaces_allocated_bytes shelf'}, '>=', 1e6, 'a namespace has objects');
is($said{'jemctx_namespaces_objects empty'}, 0, 'another has none');

# The others, within what the exporter itself takes.
sub is_near
{
	my ($metric, $sql, $within) = @_;
	my ($shown, $said);

	ok( poll(sub {
				($shown, $said) = (map({ $_->[1] } series($metric)), query($observer, $sql));
				return abs($shown - $said) < $within;
			}),
		"$metric is what the views say, nearly") or diag "$shown, $said";
	return;
}
is_near('jemctx_server_committed_bytes', 'SELECT committed FROM jemctx_server', 8e6);
is_near('jemctx_limit_left_bytes', 'SELECT memory_limit - committed FROM jemctx_server', 8e6);
is_near('sum(jemctx_backends_committed_bytes)', 'SELECT sum(committed) FROM jemctx_backends', 8e6);
is_near('sum(jemctx_backends_cache_bytes)', 'SELECT sum(cache) FROM jemctx_backends', 4e6);
is_near('jemctx_arenas_active_bytes{name="process"}', q(SELECT active FROM jemctx_arenas WHERE name = 'process'), 4e6);

#
# The dashboard.
#

my $dashboard = decode_json(slurp_file("$monitoring/jemctx_dashboard.json"));
my ($variable) = grep { $_->{name} eq 'instance' } @{ $dashboard->{templating}{list} };
my ($metric, $label) = $variable->{query}{query} =~ /^label_values\((\w+), (\w+)\)$/;
my $count = 0;

is(join(' ', @{ ask("label/$label/values", 'match[]' => $metric) }), $exporter, 'the dashboard finds the server');
for my $panel (@{ $dashboard->{panels} })
{
	for my $target (@{ $panel->{targets} })
	{
		my $expression = $target->{expr} =~ s/\$instance\b/$exporter/gr =~ s/\$__rate_interval\b/10s/gr;
		my @found;

		# a rate needs some looks
		poll(sub { @found = series($expression) });
		unlike($expression, qr/\$/, "$panel->{title}: all variables are known");
		is(scalar(grep { $_->[1] !~ /^-?[\d.]+(?:e[-+]?\d+)?$/ } @found, @found ? () : ['', 'nothing']),
			0, "$panel->{title}: $target->{expr}");
		$count++;
	}
}
cmp_ok($count, '>', 20, 'the dashboard has expressions');

close_session($_) for $session, $clerk, $observer;
$node->stop;
done_testing();
