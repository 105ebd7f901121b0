/*-------------------------------------------------------------------------
 *
 * hooks.h
 *	  Where the arenas' memory comes from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_HOOKS_H
#define JEMCTX_HOOKS_H

#include "postgres.h"

#include "port/atomics.h"

#include "jemalloc/jemalloc.h"

/* The hooks of an arena, and what they count. */
typedef struct ArenaHooks
{
	extent_hooks_t table;		/* must be first: jemalloc hands it to the hooks */

	/*
	 * Bytes of physical memory that may be behind the arena's extents: the hooks change it, from
	 * any thread that allocates, under different mutexes of jemalloc.
	 */
	pg_atomic_uint64 committed;

	/* jemalloc's count of the arena's pages in use; NULL until usage.c has found it */
	const size_t *active;
} ArenaHooks;

extern void hooks_enter(void);
extern void hooks_begin(ArenaHooks *hooks, uint64 committed);
extern bool hooks_map_again(void *pages, size_t size);
extern void hooks_allow_growth(bool allow);
extern Size hooks_kept(void);

#endif							/* JEMCTX_HOOKS_H */
