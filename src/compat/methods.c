/*-------------------------------------------------------------------------
 *
 * methods.c
 *	  The methods of a type of memory contexts, as PostgreSQL calls them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat/methods.h"

#if PG_VERSION_NUM >= 160000

/* Of every type: what is before the chunk says it. */
MemoryContext
methods_get_chunk_context(void *pointer)
{
	return pointer_context(pointer);
}

#endif
