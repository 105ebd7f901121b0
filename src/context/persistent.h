/*-------------------------------------------------------------------------
 *
 * persistent.h
 *	  A MemoryContext for data that comes and goes as long as a session lives.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_PERSISTENT_H
#define JEMCTX_PERSISTENT_H

#include "context/pool.h"

/* Its methods, but for checking builds, where each context knows its own. */
extern const MemoryContextMethods persistent_methods;

extern MemoryContext persistent_create(MemoryContext parent, const char *name);
extern void persistent_trim(MemoryContext context);
extern bool persistent_describe(MemoryContext context, ContextInfo *info);

#endif							/* JEMCTX_PERSISTENT_H */
