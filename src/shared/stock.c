/*-------------------------------------------------------------------------
 *
 * stock.c
 *	  Free slabs of a namespace, and its large objects, for all processes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shared/bell.h"
#include "shared/lock.h"
#include "shared/stock.h"

/* The keeper is told when this many slabs of the stock's target are left. */
#define LOW_STOCK(stock) ((stock)->target / 2)

static void
init_stock(Stock *stock)
{
	memset(stock, 0, sizeof(*stock));
	stock->first = NO_PAGE;
}

/* Forget all of it; with the lock held, or before there are other processes. */
void
stock_clear(Namespace *space)
{
	for (int kind = 0; kind < SLAB_KINDS; kind++)
		init_stock(&space->stocks[kind]);
	space->freed_large = NO_PAGE;
	space->freed_large_pages = 0;
	space->large_objects = 0;
	space->large_pages = 0;
}

/* Set a word of the namespace if its edition has not passed: that ends with this lock held. */
bool
stock_set_word(Namespace *space, uint64 edition, pg_atomic_uint64 *word, uint64 value)
{
	bool		current;

	lock(&space->stock_lock);
	current = pg_atomic_read_u64(&space->edition) == edition;
	if (current)
		pg_atomic_write_u64(word, value);
	unlock(&space->stock_lock);
	return current;
}

/*
 * Slabs
 */

/* A slab without objects. */
void
stock_push(Namespace *space, SlabKind kind, uint32 page)
{
	Stock	   *stock = &space->stocks[kind];
	bool		excess;

	lock(&space->stock_lock);
	page_slabs[page].next = stock->first;
	stock->first = page;
	stock->count++;
	stock->taken--;
	excess = stock->count == STOCK_EXCESS(stock->target);
	unlock(&space->stock_lock);
	if (excess)
		bell_ring();
	else
		bell_start_clock();
}

/* A slab of the stock, or NO_PAGE. */
uint32
stock_pop(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];
	uint32		page;
	bool		low;

	lock(&space->stock_lock);
	page = stock->first;
	if (page != NO_PAGE)
	{
		stock->first = page_slabs[page].next;
		stock->count--;
		stock->taken++;
	}
	else
		stock->waited++;
	low = page != NO_PAGE && stock->count == LOW_STOCK(stock);
	unlock(&space->stock_lock);
	if (low)
		bell_ring();
	else
		bell_start_clock();
	return page;
}

/* Put slabs, linked by next, into the stock. */
void
stock_add(Namespace *space, SlabKind kind, uint32 first, uint32 last, uint32 count)
{
	Stock	   *stock = &space->stocks[kind];

	lock(&space->stock_lock);
	page_slabs[last].next = stock->first;
	stock->first = first;
	stock->count += count;
	unlock(&space->stock_lock);
}

/* Take up to most slabs from the stock, linked by next, as long as more than keep are there. */
uint32
stock_remove(Namespace *space, SlabKind kind, uint32 keep, uint32 most)
{
	Stock	   *stock = &space->stocks[kind];
	uint32		first = NO_PAGE;

	lock(&space->stock_lock);
	for (uint32 i = 0; i < most && stock->count > keep; i++)
	{
		uint32		page = stock->first;

		stock->first = page_slabs[page].next;
		stock->count--;
		page_slabs[page].next = first;
		first = page;
	}
	unlock(&space->stock_lock);
	return first;
}

/* How many slabs are to be there from now on. */
void
stock_expect(Namespace *space, SlabKind kind, uint32 target)
{
	lock(&space->stock_lock);
	space->stocks[kind].target = target;
	unlock(&space->stock_lock);
}

/*
 * How many slabs were taken since the last time, less those put back, and how
 * often there was none.
 */
void
stock_tick(Namespace *space, SlabKind kind, int32 *taken, uint32 *waited)
{
	Stock	   *stock = &space->stocks[kind];

	lock(&space->stock_lock);
	*taken = stock->taken;
	*waited = stock->waited;
	stock->taken = 0;
	stock->waited = 0;
	unlock(&space->stock_lock);
}

/*
 * Large objects
 */

/* Free a large object: the keeper finds it.  False if it is not one in use. */
bool
stock_free_large(Namespace *space, uint64 edition, Size page)
{
	uint8		owner = namespace_owner(space, edition);
	bool		good;

	lock(&space->stock_lock);
	good = pg_atomic_read_u64(&space->edition) == edition &&
		page_tags[page] == TAG(owner, CLASS_LARGE, 0);
	if (good)
	{
		page_tags[page] = TAG(owner, CLASS_LARGE_FREED, 0);
		page_slabs[page].next = space->freed_large;
		space->freed_large = page;
		space->freed_large_pages += page_slabs[page].pages;
		space->large_pages -= page_slabs[page].pages;
		space->large_objects--;
	}
	unlock(&space->stock_lock);
	bell_start_clock();
	return good;
}

/* A large object is in use from now on. */
void
stock_count_large(Namespace *space, uint32 pages)
{
	lock(&space->stock_lock);
	space->large_objects++;
	space->large_pages += pages;
	unlock(&space->stock_lock);
}

/* Large objects that were freed, linked by next, up to most of them. */
uint32
stock_take_freed_large(Namespace *space, uint32 most)
{
	uint32		first = NO_PAGE;

	if (space->freed_large == NO_PAGE)
		return NO_PAGE;
	lock(&space->stock_lock);
	for (uint32 i = 0; i < most && space->freed_large != NO_PAGE; i++)
	{
		uint32		page = space->freed_large;

		space->freed_large = page_slabs[page].next;
		space->freed_large_pages -= page_slabs[page].pages;
		page_slabs[page].next = first;
		first = page;
	}
	unlock(&space->stock_lock);
	return first;
}
