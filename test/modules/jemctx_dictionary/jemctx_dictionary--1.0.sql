/* jemctx_dictionary--1.0.sql */

\echo Use "CREATE EXTENSION jemctx_dictionary" to load this file. \quit

CREATE FUNCTION dictionary_load(query text) RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION dictionary_load(text) IS
	'makes a dictionary of a query''s rows (word text, number int) and shows it to all sessions, in the place of '
	'the one before';

-- It runs any query, takes memory of the whole server, and all others wait for its lock.
REVOKE EXECUTE ON FUNCTION dictionary_load(text) FROM PUBLIC;

CREATE FUNCTION dictionary_find(word text) RETURNS int AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dictionary_find(text) IS 'the number of a word, NULL if it is not there';

CREATE FUNCTION dictionary_words() RETURNS bigint AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dictionary_words() IS 'how many words there are, NULL if there is no dictionary';
