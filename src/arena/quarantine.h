/*-------------------------------------------------------------------------
 *
 * quarantine.h
 *	  Where the heads of large chunks that were freed stay for a while, in
 *	  checking builds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_QUARANTINE_H
#define JEMCTX_QUARANTINE_H

#include "postgres.h"

#include "arena/arena.h"

#ifdef JEMCTX_CHECKING
extern void quarantine_put(Arena *arena, void *object);
extern void quarantine_enter(void);
#else
static inline void
quarantine_put(Arena *arena, void *object)
{
	arena_free(arena, object);
}

static inline void
quarantine_enter(void)
{
}
#endif

#endif							/* JEMCTX_QUARANTINE_H */
