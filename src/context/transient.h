/*-------------------------------------------------------------------------
 *
 * transient.h
 *	  A MemoryContext for data that lives and dies together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_TRANSIENT_H
#define JEMCTX_TRANSIENT_H

#include "context/pool.h"

extern void transient_enter(void);

/* Its methods, but for checking builds, where each context knows its own. */
extern const MemoryContextMethods transient_methods;

extern MemoryContext transient_create(MemoryContext parent, const char *name);
extern bool transient_describe(MemoryContext context, ContextInfo *info);

#endif							/* JEMCTX_TRANSIENT_H */
