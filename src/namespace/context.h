/*-------------------------------------------------------------------------
 *
 * context.h
 *	  A MemoryContext that is a namespace: palloc and pfree in shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_NAMESPACE_CONTEXT_H
#define JEMCTX_NAMESPACE_CONTEXT_H

#include "postgres.h"

extern void namespace_context_start(void);

#endif							/* JEMCTX_NAMESPACE_CONTEXT_H */
