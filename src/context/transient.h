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
extern MemoryContext transient_create(MemoryContext parent, const char *name);
extern bool transient_describe(MemoryContext context, ContextInfo *info);

#endif							/* JEMCTX_TRANSIENT_H */
