/*-------------------------------------------------------------------------
 *
 * dispatch.h
 *	  How PostgreSQL finds the methods of our contexts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_DISPATCH_H
#define JEMCTX_DISPATCH_H

#include "compat/methods.h"

/* Does it find them?  If not there can be no contexts of ours. */
extern bool dispatch_works;

extern void dispatch_enter(const MemoryContextMethods *transient,
						   const MemoryContextMethods *persistent);
extern void dispatch_give_up(const char *reason);
extern void dispatch_require(void);
extern const char *dispatch_way(void);

#endif							/* JEMCTX_DISPATCH_H */
