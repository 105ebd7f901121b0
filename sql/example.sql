-- The example of the README.
SELECT word, word_count(word) FROM unnest('{a,b,a,c,a,b}'::text[]) word;
SELECT name, parent, lifetime, chunks FROM jemctx_contexts WHERE name = 'words';
