/*-------------------------------------------------------------------------
 *
 * context.h
 *	  The MemoryContext types of jemctx.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CONTEXT_H
#define JEMCTX_CONTEXT_H

#include "context/pool.h"

extern bool context_describe(MemoryContext context, ContextInfo *info);

#endif							/* JEMCTX_CONTEXT_H */
