/*-------------------------------------------------------------------------
 *
 * floor.c
 *	  The floor: a context whose chunks are objects of malloc and no more.
 *
 * It is what any context with reusable chunks costs at least on that malloc:
 * it knows none of its chunks, so it can be deleted only when nobody minds
 * that they stay, and reset only by one who knows them all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/memnodes.h"
#include "utils/memutils.h"

#include "bench.h"
#include "major.h"

#if MAJOR_HAS_VTABLES

static void *
floor_alloc(MemoryContext context, Size size)
{
	MemoryContext *chunk = malloc(sizeof(MemoryContext) + size);

	if (chunk == NULL)
		return NULL;
	*chunk = context;
	return chunk + 1;
}

static void
floor_free(MemoryContext context, void *pointer)
{
	free((MemoryContext *) pointer - 1);
}

static void *
floor_realloc(MemoryContext context, void *pointer, Size size)
{
	MemoryContext *chunk = realloc((MemoryContext *) pointer - 1, sizeof(MemoryContext) + size);

	return chunk != NULL ? chunk + 1 : NULL;
}

static void
floor_reset(MemoryContext context)
{
}

static Size
floor_space(MemoryContext context, void *pointer)
{
	return 0;
}

static bool
floor_is_empty(MemoryContext context)
{
	return false;
}

static void
floor_stats(MemoryContext context, MemoryStatsPrintFunc print, void *passthru,
			MemoryContextCounters *totals, bool print_to_stderr)
{
}

#ifdef MEMORY_CONTEXT_CHECKING
static void
floor_check(MemoryContext context)
{
}
#endif

static const MemoryContextMethods floor_methods = {
	.alloc = floor_alloc,
	.free_p = floor_free,
	.realloc = floor_realloc,
	.reset = floor_reset,
	.delete_context = floor_reset,
	.get_chunk_space = floor_space,
	.is_empty = floor_is_empty,
	.stats = floor_stats,
#ifdef MEMORY_CONTEXT_CHECKING
	.check = floor_check,
#endif
};

MemoryContext
make_floor(void)
{
	MemoryContext context = MemoryContextAllocZero(TopMemoryContext, sizeof(MemoryContextData));

	MemoryContextCreate(context, T_AllocSetContext, &floor_methods, TopMemoryContext, "bench");
	return context;
}

/* Reset a context that has these chunks, of whatever kind it is. */
void
reset_all(MemoryContext context, void *const *chunks, int count)
{
	if (context->methods != &floor_methods)
		MemoryContextReset(context);
	else
	{
		for (int i = 0; i < count; i++)
			free((MemoryContext *) chunks[i] - 1);
	}
}

#else

MemoryContext
make_floor(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("chunks of malloc cannot be those of a context with this server")));
}

void
reset_all(MemoryContext context, void *const *chunks, int count)
{
	MemoryContextReset(context);
}

#endif
