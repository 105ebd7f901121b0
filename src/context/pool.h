/*-------------------------------------------------------------------------
 *
 * pool.h
 *	  What the types of contexts share: deleted ones to be used again, and what
 *	  there is to tell.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_POOL_H
#define JEMCTX_POOL_H

#include "jemctx.h"

#include "arena/arena.h"
#include "compat/methods.h"

/* What there is to tell about a context of ours. */
typedef struct ContextInfo
{
	JemctxLifetime lifetime;
	const Arena *arena;
	Size		chunks;
	Size		allocated;
	bool		knows_requested;
	Size		requested;		/* bytes asked for, in checking builds */
} ContextInfo;

/* Deleted contexts of one type, emptied, linked by nextchild. */
typedef struct ContextPool
{
	MemoryContext first;
	int			count;
	int			limit;
} ContextPool;

/* Returns a context to be created again, or NULL. */
static inline MemoryContext
context_pool_take(ContextPool *pool)
{
	MemoryContext context = pool->first;

	if (context != NULL)
	{
		pool->first = context->nextchild;
		pool->count--;
	}
	return context;
}

/* Returns false when the pool is full. */
static inline bool
context_pool_give(ContextPool *pool, MemoryContext context)
{
	if (pool->count >= pool->limit)
		return false;
	context->nextchild = pool->first;
	pool->first = context;
	pool->count++;
	return true;
}

extern _Noreturn void context_creation_failed(const char *name);

#endif							/* JEMCTX_POOL_H */
