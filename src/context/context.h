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
} ContextInfo;

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
