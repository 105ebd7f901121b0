/*-------------------------------------------------------------------------
 *
 * freed.c
 *	  The context of chunks that are free: whoever uses one makes a mistake.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat/methods.h"
#include "context/freed.h"

static void
FreedFree(MemoryContext context, void *pointer)
{
	((FreedContext *) context)->report(pointer);
}

static void *
FreedRealloc(MemoryContext context, void *pointer, Size size, int flags)
{
	FreedFree(context, pointer);
	return NULL;				/* keep compiler quiet */
}

static Size
FreedGetChunkSpace(MemoryContext context, void *pointer)
{
	FreedFree(context, pointer);
	return 0;					/* keep compiler quiet */
}

METHODS_FOR_CHUNKS(Freed)

const MemoryContextMethods freed_methods = {
	METHODS_OF_CHUNKS(Freed),
};
