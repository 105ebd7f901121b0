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

#include "nodes/memnodes.h"

/* In its methods freed_methods; report raises an ERROR. */
typedef struct FreedContext
{
	MemoryContextData header;
	void		(*report) (void *pointer);
} FreedContext;

extern const MemoryContextMethods freed_methods;

#endif							/* JEMCTX_FREED_H */
