-- Something to hold.
SET work_mem = '64MB';
BEGIN;
DECLARE c CURSOR FOR SELECT md5(g::text) FROM generate_series(1, 100000) g ORDER BY 1;
FETCH c;
