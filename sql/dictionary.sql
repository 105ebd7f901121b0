-- A client: a dictionary that all sessions share.
CREATE EXTENSION jemctx_dictionary;
SELECT dictionary_words();
SELECT dictionary_find('one');
SELECT dictionary_load($$SELECT * FROM (VALUES ('one', 1), ('two', 2), ('two', 22), (NULL, 3)) v$$);
SELECT dictionary_find('one'), dictionary_find('two'), dictionary_find('three');
\c -
SELECT dictionary_find('one'), dictionary_find('two'), dictionary_find('three');
SELECT dictionary_load('SELECT md5(i::text), i FROM generate_series(1, 100000) i');
SELECT objects, has_root FROM jemctx_namespaces WHERE name = 'dictionary';
\c -
SELECT count(*) FROM generate_series(1, 100000) i WHERE dictionary_find(md5(i::text)) = i;
SELECT dictionary_find('one'), dictionary_words();
-- A query that fails leaves the dictionary as it was, and nothing else.
SELECT objects, allocated FROM jemctx_namespaces WHERE name = 'dictionary' \gset before_
SELECT dictionary_load('SELECT md5(i::text), 1 / (50000 - i) FROM generate_series(1, 100000) i');
SELECT dictionary_words();
SELECT objects - :before_objects AS objects, allocated - :before_allocated AS allocated
FROM jemctx_namespaces WHERE name = 'dictionary';
SELECT jemctx_namespace_drop('dictionary');
SELECT dictionary_words();
DROP EXTENSION jemctx_dictionary;
