-- What test/bench/statements runs. A line "-- @ NAME" begins a statement,
-- which ends with a semicolon at the end of a line; "-- @ setup" is done once beforehand.

-- @ setup
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
DO $$ BEGIN FOR i IN 0 .. 999 LOOP EXECUTE
	format('CREATE TABLE parted_%s PARTITION OF parted FOR VALUES FROM (%s) TO (%s)', i, i * 1000, (i + 1) * 1000); END
	LOOP; END $$;

-- @ sort of 300,000 rows
SELECT count(*) FROM (SELECT n, md5(n::text) AS hash FROM generate_series(1, 300000) AS n ORDER BY hash) AS sorted;

-- @ plan over 1,000 partitions
SELECT count(*) FROM parted WHERE id < 1000000000;

-- @ string_agg of 16 MB
SELECT length(string_agg(md5(n::text), ',')) FROM generate_series(1, 500000) AS n;

-- @ array_agg, 50,000 groups
SELECT count(*) FROM (SELECT n % 50000 AS key, array_agg(n) FROM generate_series(1, 400000) AS n GROUP BY 1) AS groups;

-- @ hash join of 400,000 rows
SELECT count(*) FROM (SELECT n AS a FROM generate_series(1, 400000) AS n) AS x
	JOIN (SELECT n AS b FROM generate_series(1, 400000) AS n) AS y ON x.a = y.b;

-- @ jsonb_agg of 60,000 objects
SELECT length(jsonb_agg(jsonb_build_object('k', n, 'v', md5(n::text)))::text) FROM generate_series(1, 60000) AS n;

-- @ PL/pgSQL loop, array_append
DO $$ DECLARE list int[]; BEGIN FOR i IN 1 .. 20000 LOOP list := array_append(list, i); END LOOP; END $$;
