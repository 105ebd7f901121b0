/*-------------------------------------------------------------------------
 *
 * jemctx_dictionary.c
 *	  A dictionary that all sessions share: words and their numbers.
 *
 * It is built once, by whoever loads it, in a namespace of jemctx, and read by
 * all through plain pointers: nothing is copied or translated.  The table is
 * one of simplehash.h's, in the namespace's memory context.
 *
 * A dictionary is complete before the root shows it, and is not changed after
 * that.  A lock keeps the one before, which goes when another is loaded, until
 * nobody reads it any more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "extension/jemctx/jemctx.h"

#define NAMESPACE_NAME "dictionary"

/* An advisory lock: shared to read, exclusive to replace. */
#define LOCK_KEY1 0x6a656d63
#define LOCK_KEY2 0x64696374

#define FETCHED_ROWS 10000

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(dictionary_load);
PG_FUNCTION_INFO_V1(dictionary_find);
PG_FUNCTION_INFO_V1(dictionary_words);

typedef struct Word
{
	const char *spelling;
	uint32		hash;
	char		status;
	int32		number;
} Word;

#define SH_PREFIX words
#define SH_ELEMENT_TYPE Word
#define SH_KEY_TYPE const char *
#define SH_KEY spelling
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key), strlen(key))
#define SH_EQUAL(table, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, word) ((word)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static LOCKTAG
dictionary_lock(void)
{
	LOCKTAG		tag;

	/* a namespace is the server's, and so is the lock: not of one database */
	SET_LOCKTAG_ADVISORY(tag, InvalidOid, LOCK_KEY1, LOCK_KEY2, 2);
	return tag;
}

static void
free_words(words_hash *words)
{
	words_iterator iterator;
	Word	   *word;

	if (words == NULL)
		return;
	words_start_iterate(words, &iterator);
	while ((word = words_iterate(words, &iterator)) != NULL)
	{
		if (word->spelling != NULL)
			pfree((void *) word->spelling);
	}
	words_destroy(words);
}

static void
add_word(words_hash *words, const char *spelling, int32 number)
{
	bool		found;
	Word	   *word = words_insert(words, spelling, &found);

	/* the table's key must not be one of this process's own pointers, whatever fails */
	if (!found)
	{
		word->spelling = NULL;
		word->spelling = MemoryContextStrdup(words->ctx, spelling);
	}
	word->number = number;
}

static void
add_rows(words_hash *words)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		char	   *spelling = SPI_getvalue(row, SPI_tuptable->tupdesc, 1);
		char	   *number = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);

		if (spelling != NULL && number != NULL)
			add_word(words, spelling, pg_strtoint32(number));
		CHECK_FOR_INTERRUPTS();
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
read_query(words_hash *words, const char *query)
{
	Portal		cursor;

	SPI_connect();
	cursor = SPI_cursor_open_with_args(NULL, query, 0, NULL, NULL, NULL, true, 0);
	do
	{
		SPI_cursor_fetch(cursor, true, FETCHED_ROWS);
		if (SPI_processed == 0)
			break;
		add_rows(words);
	} while (true);
	SPI_cursor_close(cursor);
	SPI_finish();
}

/* Show it in the place of the one before, when nobody reads that any more. */
static void
show_words(JemctxNamespace *ns, words_hash *words)
{
	LOCKTAG		lock = dictionary_lock();
	words_hash *before;

	LockAcquire(&lock, ExclusiveLock, false, false);
	before = jemctx_namespace_root(ns);
	jemctx_namespace_set_root(ns, words);
	LockRelease(&lock, ExclusiveLock, false);
	free_words(before);
}

Datum
dictionary_load(PG_FUNCTION_ARGS)
{
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	JemctxNamespace *ns = jemctx_namespace_find_or_create(NAMESPACE_NAME, 0);
	words_hash *words = words_create(jemctx_namespace_context(ns), 1024, NULL);
	int64		count = 0;

	/*
	 * until it is shown, nothing else would free it: the wait for the lock may end in an error,
	 * too
	 */
	PG_TRY();
	{
		read_query(words, query);
		count = words->members;
		show_words(ns, words);
	}
	PG_CATCH();
	{
		if (jemctx_namespace_root(ns) != words)
			free_words(words);
		PG_RE_THROW();
	}
	PG_END_TRY();
	PG_RETURN_INT64(count);
}

/* The dictionary that is shown now, or NULL.  Keep the lock while it is read. */
static words_hash *
current_words(void)
{
	JemctxNamespace *ns = jemctx_namespace_find(NAMESPACE_NAME, true);

	return ns ? jemctx_namespace_root(ns) : NULL;
}

Datum
dictionary_find(PG_FUNCTION_ARGS)
{
	char	   *spelling = text_to_cstring(PG_GETARG_TEXT_PP(0));
	LOCKTAG		lock = dictionary_lock();
	words_hash *words;
	Word	   *word;
	int32		number = 0;

	LockAcquire(&lock, ShareLock, false, false);
	words = current_words();
	word = words ? words_lookup(words, spelling) : NULL;
	if (word)
		number = word->number;
	LockRelease(&lock, ShareLock, false);
	if (word == NULL)
		PG_RETURN_NULL();
	PG_RETURN_INT32(number);
}

Datum
dictionary_words(PG_FUNCTION_ARGS)
{
	LOCKTAG		lock = dictionary_lock();
	words_hash *words;
	int64		count = 0;

	LockAcquire(&lock, ShareLock, false, false);
	words = current_words();
	if (words)
		count = words->members;
	LockRelease(&lock, ShareLock, false);
	if (words == NULL)
		PG_RETURN_NULL();
	PG_RETURN_INT64(count);
}
