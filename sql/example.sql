-- The example of docs/contexts.md.
SELECT word, word_count(word) FROM unnest('{a,b,a,c,a,b}'::text[]) word;
SELECT name, parent, lifetime, chunks FROM jemctx_contexts WHERE name IN ('words', 'word_count');
-- It is kept between statements, transactions and errors.
BEGIN;
SELECT word_count('a');
ROLLBACK;
SELECT word_count('a');
SELECT chunks FROM jemctx_contexts WHERE name = 'words';
-- Its calls leave nothing else behind.
SELECT count(word_count(repeat(chr(97 + i % 26), 1000))) FROM generate_series(1, 1000) i;
SELECT allocated AS before_allocated FROM jemctx_arenas WHERE name = 'transient' \gset
SELECT count(word_count(repeat(chr(97 + i % 26), 1000))) FROM generate_series(1, 10000) i;
SELECT chunks FROM jemctx_contexts WHERE name = 'words';
SELECT allocated - :before_allocated AS allocated FROM jemctx_arenas WHERE name = 'transient';
-- Another session has its own.
\c -
SELECT word_count('a');
