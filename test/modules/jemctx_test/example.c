/*-------------------------------------------------------------------------
 *
 * example.c
 *	  The example of docs/contexts.md: how often has this session seen a word?
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "extension/jemctx/jemctx.h"

typedef struct Word
{
	struct Word *next;
	int64		count;
	char		spelling[FLEXIBLE_ARRAY_MEMBER];
} Word;

PG_FUNCTION_INFO_V1(word_count);

Datum
word_count(PG_FUNCTION_ARGS)
{
	static MemoryContext cache; /* as long as the session */
	static Word *words;
	MemoryContext scratch = JemctxContextCreate(CurrentMemoryContext, "word_count",
												JEMCTX_TRANSIENT);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Word	   *word = words;

	if (cache == NULL)
		cache = JemctxContextCreate(TopMemoryContext, "words", JEMCTX_PERSISTENT);
	while (word != NULL && strcmp(word->spelling, key) != 0)
		word = word->next;
	if (word == NULL)
	{
		word = MemoryContextAllocZero(cache, offsetof(Word, spelling) + strlen(key) + 1);
		strcpy(word->spelling, key);
		word->next = words;
		words = word;
	}
	word->count++;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);	/* and everything in it */
	PG_RETURN_INT64(word->count);
}
