/*-------------------------------------------------------------------------
 *
 * depot.h
 *	  Free objects of a namespace, for all processes.
 *
 * A namespace has a bin for each size class, and for all of them a stock of
 * free slabs (stock.h).  Magazines are filled from the bin and emptied into it under one
 * short lock; a bin without room takes a slab of the stock; a slab without
 * objects goes back there.  The keeper sees to it that the stock has some.
 *
 * Nothing in here waits for anything but the locks, or raises errors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_DEPOT_H
#define JEMCTX_DEPOT_H

#include "shared/pagemap.h"

/* The namespace is not the one, or has not the contents, that the caller knows. */
#define DEPOT_STALE (-1)

extern void depot_init(Namespace *space, int tranche);
extern int	depot_take(Namespace *space, uint64 edition, uint32 class, void **objects, int wanted);
extern bool depot_give(Namespace *space, uint64 edition, uint32 class, void **objects, int count,
					   void **wrong);
extern bool depot_is_out(uint8 owner, uint32 class, void *object);
extern bool depot_reserve(Namespace *space, uint64 edition, uint32 class, Size bytes);
extern bool depot_clear_pages(Namespace *space, uint64 edition, Size page, Size pages);
extern void depot_release(Namespace *space, uint64 edition, uint32 class, Size bytes);

/* For the keeper */
extern void depot_tidy(Namespace *space);
extern void depot_clear(Namespace *space, uint64 edition);

#endif							/* JEMCTX_DEPOT_H */
