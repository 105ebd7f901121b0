# Each allocation of a statement is refused in turn, as at a limit, in statements that end transactions,
# make or delete files, or do what no abort undoes. Nothing may be left half done, and what is done may
# not be called an error. It takes a checking build to refuse just one allocation. "make refusals"
# refuses every one, this test every so many-th.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use JemctxTest;
use RefusalTest;

use_variant('checking');
my $node = refusal_node('main');

$node->safe_psql('postgres', q(
	CREATE TABLE kept (i int PRIMARY KEY, t text);
	INSERT INTO kept SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i;
	CREATE FUNCTION make(n int, name text = 'many') RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..n LOOP
			EXECUTE format('CREATE TABLE %s_%s (i serial PRIMARY KEY, t text)', name, i);
		END LOOP;
	END $$;
	CREATE FUNCTION unmake(n int, name text = 'many') RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..n LOOP
			EXECUTE format('DROP TABLE %s_%s', name, i);
		END LOOP;
	END $$;
	CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM count(*) FROM kept; RETURN NULL; END $$;
	CREATE TABLE late (i int);
	CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION
	  fire();
	CREATE TABLE parent AS SELECT i FROM kept;
	ALTER TABLE parent ADD PRIMARY KEY (i);
	CREATE TABLE child (i int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
	CREATE TABLE apart (i int UNIQUE DEFERRABLE INITIALLY DEFERRED,
		r int4range, EXCLUDE USING gist (r WITH &&) DEFERRABLE INITIALLY DEFERRED);
));

# Does a table exist?
sub exists_table
{
	my ($name) = @_;

	return "SELECT CASE WHEN to_regclass('$name') IS NULL THEN 'no' ELSE 'yes' END";
}
my @work = (
	'BEGIN',
	'CREATE TABLE made (i int PRIMARY KEY, t text)',
	"INSERT INTO made VALUES (1, 'a')",
	'INSERT INTO late VALUES (1)',
	"SELECT lo_from_bytea(0, 'large')",
	'DECLARE c CURSOR WITH HOLD FOR SELECT * FROM kept',
	"LISTEN channel_a; NOTIFY channel_a, 'hello'",
	'SAVEPOINT s', "UPDATE kept SET t = 'y' WHERE i < 10");
# Files that have to go when it is committed, and others when it is not; and locks.
my @prepared = (
	"SELECT make(5, 'old')",
	'BEGIN',
	"SELECT unmake(5, 'old')",
	'SELECT make(5)',
	'INSERT INTO many_1 (t) VALUES (1)',
	'SELECT count(*) FROM many_2');
# Constraints that are checked late, and what serializable transactions have read.
my @deferred = (
	'BEGIN',
	'INSERT INTO child SELECT generate_series(1, 100)',
	'INSERT INTO apart SELECT g, int4range(g, g + 1) FROM generate_series(1, 20) g',
	'CREATE TABLE made (i int)');
my @serializable = (
	'BEGIN ISOLATION LEVEL SERIALIZABLE',
	'SELECT count(*) FROM kept WHERE i BETWEEN 3 AND 300',
	"UPDATE kept SET t = 's' WHERE i = 500",
	'CREATE TABLE made (i int)');
my $empty = 'TRUNCATE child, apart';
my $is_prepared = "SELECT CASE count(*) WHEN 0 THEN 'no' ELSE 'yes' END FROM pg_prepared_xacts";
my %gone = (failed => [], done => ['DROP TABLE made']);

my @cases = (
	{ name => 'COMMIT', before => \@work, statement => 'COMMIT', done => exists_table('made'),
		after => { failed => [ 'CLOSE ALL', 'UNLISTEN *' ], done => [ 'CLOSE ALL', 'UNLISTEN *',
			'DROP TABLE made' ] } },
	{ name => 'ROLLBACK', before => \@work, statement => 'ROLLBACK' },
	{ name => 'SAVEPOINT', before => \@work, statement => 'SAVEPOINT t' },
	{ name => 'ROLLBACK TO', before => \@work, statement => 'ROLLBACK TO s' },
	{ name => 'RELEASE', before => \@work, statement => 'RELEASE s' },
	{ name => 'an error', before => \@work, statement => 'SELECT 1/0 FROM kept', fails => qr/division by zero/ },
	{ name => 'PREPARE TRANSACTION', before => \@prepared, statement => "PREPARE TRANSACTION 'p'",
		done => $is_prepared,
		after => { failed => ["SELECT unmake(5, 'old')"], done => [ "ROLLBACK PREPARED 'p'",
			"SELECT unmake(5, 'old')" ] } },
	{ name => 'COMMIT PREPARED', before => [ @prepared, "PREPARE TRANSACTION 'p'" ], statement => "COMMIT PREPARED 'p'",
		done => exists_table('many_1'), after => { failed => [ "ROLLBACK PREPARED 'p'", "SELECT unmake(5, 'old')" ],
			done => ['SELECT unmake(5)'] } },
	{ name => 'ROLLBACK PREPARED', before => [ @prepared, "PREPARE TRANSACTION 'p'" ],
		statement => "ROLLBACK PREPARED 'p'",
		done => "SELECT CASE count(*) WHEN 0 THEN 'yes' ELSE 'no' END FROM pg_prepared_xacts",
		after => { failed => [ "ROLLBACK PREPARED 'p'", "SELECT unmake(5, 'old')" ],
			done => ["SELECT unmake(5, 'old')"] } },
	{ name => 'deferred constraints: COMMIT', before => \@deferred, statement => 'COMMIT', done => exists_table('made'),
		after => { failed => [$empty], done => [ 'DROP TABLE made', $empty ] } },
	{ name => 'deferred constraints: SET CONSTRAINTS', before => \@deferred,
		statement => 'SET CONSTRAINTS ALL IMMEDIATE' },
	{ name => 'deferred constraints: PREPARE TRANSACTION', before => \@deferred, statement => "PREPARE TRANSACTION 'p'",
		done => $is_prepared,
		after => { failed => [$empty], done => [ "COMMIT PREPARED 'p'", 'DROP TABLE made', $empty ] } },
	{ name => 'serializable: COMMIT', before => \@serializable, statement => 'COMMIT', done => exists_table('made'),
		after => \%gone },
	{ name => 'serializable: PREPARE TRANSACTION', before => \@serializable, statement => "PREPARE TRANSACTION 'p'",
		done => $is_prepared, after => { failed => [], done => [ "COMMIT PREPARED 'p'", 'DROP TABLE made' ] } },
	{ name => 'serializable: COMMIT PREPARED', before => [ @serializable, "PREPARE TRANSACTION 'p'" ],
		statement => "COMMIT PREPARED 'p'", done => exists_table('made'),
		after => { failed => ["ROLLBACK PREPARED 'p'"], done => ['DROP TABLE made'] } },
	{ name => 'CREATE TABLE', statement => 'CREATE TABLE made (i serial PRIMARY KEY, t text)',
		done => exists_table('made'), after => \%gone },
	{ name => 'CREATE TEMP TABLE', statement => 'CREATE TEMP TABLE made (i serial PRIMARY KEY, t text)',
		done => exists_table('made'), after => \%gone },
	{ name => 'DROP of many', before => ['SELECT make(6)'], statement => 'SELECT unmake(6)',
		done => "SELECT CASE WHEN to_regclass('many_1') IS NULL THEN 'yes' ELSE 'no' END",
		after => { failed => ['SELECT unmake(6)'], done => [] } },
	{ name => 'TRUNCATE', statement => 'TRUNCATE late, kept',
		after => { always => ["INSERT INTO kept SELECT i, 'z'
			FROM generate_series(1, 1000) i ON CONFLICT DO NOTHING"] } },
	{ name => 'VACUUM FULL', statement => 'VACUUM FULL kept' },
	{ name => 'REINDEX', statement => 'REINDEX TABLE kept' },
	{ name => 'CLUSTER', statement => 'CLUSTER kept USING kept_pkey' },
	{ name => 'REINDEX CONCURRENTLY', statement => 'REINDEX TABLE CONCURRENTLY kept',
		after => { failed => [q(DO $$ DECLARE name text; BEGIN
			FOR name IN SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid LOOP
				EXECUTE 'DROP INDEX ' || name; END LOOP; END $$)], done => [] } },
	{ name => 'CREATE DATABASE', statement => 'CREATE DATABASE made',
		done => "SELECT CASE count(*) WHEN 0 THEN 'no' ELSE 'yes' END FROM pg_database WHERE datname = 'made'",
		after => { failed => [], done => ['DROP DATABASE made'] } },
	{ name => 'DROP DATABASE', statement => 'DROP DATABASE made', before => ['CREATE DATABASE made'],
		done => "SELECT CASE count(*) WHEN 0 THEN 'yes' ELSE 'no' END FROM pg_database WHERE datname = 'made'",
		after => { failed => ['DROP DATABASE made'], done => [] } },
	{ name => 'CREATE DATABASE by copying files', statement => 'CREATE DATABASE made STRATEGY file_copy',
		done => "SELECT CASE count(*) WHEN 0 THEN 'no' ELSE 'yes' END FROM pg_database WHERE datname = 'made'",
		after => { failed => [], done => ['DROP DATABASE made'] } },
	{ name => 'large objects', statement => "SELECT lo_put(lo_from_bytea(4711, 'large'), 0, repeat('x', 10000)::bytea)",
		done => "SELECT CASE count(*) WHEN 0 THEN 'no' ELSE 'yes' END FROM pg_largeobject_metadata WHERE oid = 4711",
		after => { failed => [], done => ['SELECT lo_unlink(4711)'] } },
);
my $only = $ENV{REFUSALS_CASE} // '';

for my $case (@cases)
{
	next if $case->{name} !~ /$only/;
	refuse_each($node, $case);
}
whole_on_disk($node);

done_testing();
