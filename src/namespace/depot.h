/*-------------------------------------------------------------------------
 *
 * depot.h
 *	  Free objects and free slabs of a namespace, for all processes.
 *
 * A namespace has a bin for each size class and a stock of free slabs for all
 * of them.  Magazines are filled from the bin and emptied into it under one
 * short lock; a bin without room takes a slab of the stock; a slab without
 * objects goes back there.  The keeper sees to it that the stock has some.
 *
 * Nothing in here waits for anything but the locks, or raises errors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_DEPOT_H
#define JEMCTX_DEPOT_H

#include "namespace/pagemap.h"

/* The namespace is not the one, or has not the contents, that the caller knows. */
#define DEPOT_STALE (-1)

extern void depot_init(Namespace *space, int tranche);
extern int	depot_take(Namespace *space, uint64 life, uint32 class, void **objects, int wanted);
extern bool depot_give(Namespace *space, uint64 life, uint32 class, void **objects, int count,
					   void **keep, int *kept, void **wrong);
extern bool depot_is_out(uint8 owner, uint32 class, void *object);
extern bool depot_reserve(Namespace *space, uint64 life, uint32 class, Size bytes);
extern void depot_release(Namespace *space, uint64 life, uint32 class, Size bytes);
extern bool depot_return_large(Namespace *space, uint64 life, Size page);
extern bool depot_set(Namespace *space, uint64 life, pg_atomic_uint64 *word, uint64 value);
extern void depot_count_anew(Namespace *space);

/* For the keeper */
extern void depot_stock(Namespace *space, SlabKind kind, uint32 first, uint32 last, uint32 count);
extern uint32 depot_unstock(Namespace *space, SlabKind kind, uint32 keep, uint32 most);
extern void depot_tick(Namespace *space, SlabKind kind, int32 *taken, uint32 *waited);
extern void depot_count_large(Namespace *space, uint32 pages);
extern uint32 depot_returned(Namespace *space, uint32 most);
extern void depot_tidy(Namespace *space);
extern void depot_clear(Namespace *space, uint64 life);

#endif							/* JEMCTX_DEPOT_H */
