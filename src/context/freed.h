/*-------------------------------------------------------------------------
 *
 * freed.h
 *	  The context of chunks that are free: whoever uses one makes a mistake.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_FREED_H
#define JEMCTX_FREED_H

#include "postgres.h"

#include "compat/methods.h"

/* Its methods are freed_methods; report raises an ERROR. */
typedef struct pg_attribute_aligned(CONTEXT_ALIGNMENT) FreedContext
{
	MemoryContextData header;
	void		(*report) (void *pointer);
} FreedContext;

extern const MemoryContextMethods freed_methods;

#endif							/* JEMCTX_FREED_H */
