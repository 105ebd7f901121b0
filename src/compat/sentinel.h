/*-------------------------------------------------------------------------
 *
 * sentinel.h
 *	  To be called whenever a memory context is reset, or deleted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_SENTINEL_H
#define JEMCTX_SENTINEL_H

#include "postgres.h"

#include "utils/memutils.h"

/* A variable of the module, zero but for act. */
typedef struct Sentinel
{
	MemoryContextData context;	/* must be first: a child of the watched context */
	void		(*act) (void *watched);
	MemoryContext watched;
	MemoryContextCallback callback;
	bool		is_registered;	/* the callback, and it has not been called yet */
} Sentinel;

extern void sentinel_post(Sentinel *sentinel, MemoryContext watched);

#endif							/* JEMCTX_SENTINEL_H */
