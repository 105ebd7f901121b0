/*-------------------------------------------------------------------------
 *
 * context.h
 *	  The MemoryContext types of jemctx.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CONTEXT_H
#define JEMCTX_CONTEXT_H

#include "jemctx.h"

#include "arena/arena.h"

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

extern void context_creation_failed(const char *name) pg_attribute_noreturn();
extern void context_enter(void);
extern bool context_describe(MemoryContext context, ContextInfo *info);

/* transient.c */
extern void transient_enter(void);
extern MemoryContext transient_create(MemoryContext parent, const char *name);
extern bool transient_describe(MemoryContext context, ContextInfo *info);

/* persistent.c */
extern MemoryContext persistent_create(MemoryContext parent, const char *name);
extern bool persistent_describe(MemoryContext context, ContextInfo *info);

#endif							/* JEMCTX_CONTEXT_H */
