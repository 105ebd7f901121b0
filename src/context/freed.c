/*-------------------------------------------------------------------------
 *
 * freed.c
 *	  The context of chunks that are free: whoever uses one makes a mistake.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "context/freed.h"

static void
report(MemoryContext context, void *pointer)
{
	((FreedContext *) context)->report(pointer);
}

static void *
report_realloc(MemoryContext context, void *pointer, Size size)
{
	report(context, pointer);
	return NULL;				/* keep compiler quiet */
}

static Size
report_get_chunk_space(MemoryContext context, void *pointer)
{
	report(context, pointer);
	return 0;					/* keep compiler quiet */
}

const MemoryContextMethods freed_methods = {
	.free_p = report,
	.realloc = report_realloc,
	.get_chunk_space = report_get_chunk_space,
};
