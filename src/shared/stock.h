/*-------------------------------------------------------------------------
 *
 * stock.h
 *	  Free slabs of a namespace, and its large objects, for all processes.
 *
 * Nothing in here waits for anything but the stock's lock, or raises errors.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_STOCK_H
#define JEMCTX_STOCK_H

#include "shared/pagemap.h"

extern void stock_clear(Namespace *space);
extern bool stock_set_word(Namespace *space, uint64 edition, pg_atomic_uint64 *word, uint64 value);
extern void stock_push(Namespace *space, SlabKind kind, uint32 page);
extern uint32 stock_pop(Namespace *space, SlabKind kind);
extern bool stock_free_large(Namespace *space, uint64 edition, Size page);

/* For the keeper */
extern void stock_add(Namespace *space, SlabKind kind, uint32 first, uint32 last, uint32 count);
extern uint32 stock_remove(Namespace *space, SlabKind kind, uint32 keep, uint32 most);
extern void stock_expect(Namespace *space, SlabKind kind, uint32 target);
extern void stock_tick(Namespace *space, SlabKind kind, int32 *taken, uint32 *waited);
extern void stock_count_large(Namespace *space, uint32 pages);
extern uint32 stock_take_freed_large(Namespace *space, uint32 most);

#endif							/* JEMCTX_STOCK_H */
