/*-------------------------------------------------------------------------
 *
 * cache.h
 *	  The catalog caches of this process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CACHE_H
#define JEMCTX_CACHE_H

#include "postgres.h"

/* Setting: an idle backend sheds caches that are too large after so many ms. */
extern int	idle_cache_after;

/* And a busy one, caches of more kB; -1 for none. */
extern int	busy_cache_limit;

extern void cache_enter(void);
extern Size cache_size(void);
extern bool cache_seems_too_large(void);
extern bool cache_is_too_large(void);
extern bool cache_is_due_when_busy(void);
extern void cache_shed(void);

#endif							/* JEMCTX_CACHE_H */
