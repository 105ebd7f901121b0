/*-------------------------------------------------------------------------
 *
 * freelist.h
 *	  Lists of free chunks that are in the chunks themselves.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_FREELIST_H
#define JEMCTX_FREELIST_H

#include "postgres.h"

#include "arena/memstate.h"

/* A free chunk has the next one of its list in its first word. */
static inline void *
next_free(void *pointer)
{
	void	   *next;

	MEMSTATE_DEFINED(pointer, sizeof(next));
	next = *(void **) pointer;
	MEMSTATE_NOACCESS(pointer, sizeof(next));
	return next;
}

static inline void
set_next_free(void *pointer, void *next)
{
	MEMSTATE_UNDEFINED(pointer, sizeof(next));
	*(void **) pointer = next;
	MEMSTATE_NOACCESS(pointer, sizeof(next));
}

#endif							/* JEMCTX_FREELIST_H */
