/*-------------------------------------------------------------------------
 *
 * supply.c
 *	  How many slabs the keeper has ready, and what it takes back.
 *
 * Each namespace has a stock of slabs, from which processes take without the
 * keeper's help.  It is as large as they took lately, within a small part of
 * the namespace; what is more goes back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "keeper/supply.h"
#include "shared/depot.h"
#include "shared/failpoint.h"
#include "shared/stock.h"

/* Ticks without anything to do after which the clock stands still. */
#define QUIET_TICKS 30

/* Ticks after which a namespace that is not used loses the empty slabs that its bins keep. */
#define TIDY_TICKS 5

/* Slabs in the stock of a namespace in use, of each kind: at least, and at first. */
#define LEAST_STOCK 8
#define FIRST_STOCK 64

/* The stock of each kind is at most such a part of what a namespace holds, and of what it may. */
#define HELD_DIVISOR 24
#define STOCK_DIVISOR 64

/* Slabs allocated, and slabs or large objects taken back, before others are looked after again. */
#define BATCH 64
#define BACK_BATCH 512

/* Ticks since slabs were last asked of each namespace. */
static uint32 quiet[NAMESPACE_SLOTS];

/*
 * Take pages for the slabs that are wanted, or a batch of them, and put them
 * into the stock.
 */
static ExtentsResult
add_slabs(Namespace *space, SlabKind kind, uint32 wanted)
{
	Size		unit = slab_pages(kind);
	PageRun		run;
	ExtentsResult result = extents_take_slabs(space, unit, unit * Min(wanted, BATCH), &run);
	Size		last;

	if (result != EXTENTS_TAKEN)
		return result;
	last = run.page + run.pages - unit;
	for (Size page = run.page; page < last; page += unit)
		page_slabs[page].next = page + unit;
	stock_add(space, kind, run.page, last, run.pages / unit);
	FAILPOINT(DIE_KEEPER);
	return EXTENTS_TAKEN;
}

/* Free slabs of the stock until keep are left, a batch at most.  Returns how many pages. */
static Size
remove_slabs(Namespace *space, SlabKind kind, uint32 keep)
{
	uint32		page = stock_remove(space, kind, keep, BACK_BATCH);
	Size		pages = 0;

	while (page != NO_PAGE)
	{
		uint32		next = page_slabs[page].next;

		extents_free(space, page, slab_pages(kind));
		pages += slab_pages(kind);
		page = next;
	}
	return pages;
}

/* Large objects that were freed; how many pages of them were taken back. */
static Size
take_freed_large(Namespace *space)
{
	uint32		page = stock_take_freed_large(space, BACK_BATCH);
	Size		pages = 0;

	while (page != NO_PAGE)
	{
		uint32		next = page_slabs[page].next;

		pages += page_slabs[page].pages;
		extents_free(space, page, page_slabs[page].pages);
		page = next;
	}
	return pages;
}

/*
 * Memory is short: take back what nobody uses, or a batch of it, and have
 * nothing ready.  Returns how many pages that were.
 */
Size
supply_squeeze(Namespace *space)
{
	Size		pages = take_freed_large(space);

	depot_tidy(space);
	for (int kind = 0; kind < SLAB_KINDS; kind++)
	{
		stock_expect(space, kind, 0);
		pages += remove_slabs(space, kind, 0);
	}
	return pages;
}

/* How many slabs a stock may have: a small part of what the namespace holds, and may hold. */
static uint32
most_stock(Namespace *space, SlabKind kind)
{
	uint64		committed = pg_atomic_read_u64(&space->committed);
	uint64		bytes = Max(FIRST_STOCK * slab_bytes(kind), committed / HELD_DIVISOR);

	return Max(1, Min(bytes, region_limit(space) / STOCK_DIVISOR) / slab_bytes(kind));
}

/* More has been taken than expected: expect more. */
static void
raise_target(Namespace *space, SlabKind kind)
{
	uint32		target = Max(FIRST_STOCK, space->stocks[kind].target * 2);

	stock_expect(space, kind, Min(most_stock(space, kind), target));
}

/* Somebody waits for slabs; repeated if there were none the last time. */
ExtentsResult
supply_slabs(Namespace *space, SlabKind kind, bool repeated)
{
	Stock	   *stock = &space->stocks[kind];

	quiet[space->slot] = 0;
	if (stock->count > 0)
		return EXTENTS_TAKEN;	/* it was somebody else's wait */
	if (repeated)
		return add_slabs(space, kind, 1);
	raise_target(space, kind);
	return add_slabs(space, kind, stock->target);
}

/* Somebody waits for a large object.  clean: it is zero, and takes no memory yet. */
ExtentsResult
supply_large(Namespace *space, Size pages, void **object, bool *clean)
{
	PageRun		run;
	ExtentsResult result = extents_take_large(space, pages, &run);

	if (result != EXTENTS_TAKEN)
		return result;
	stock_count_large(space, pages);
	*object = region_address(run.page);
	*clean = run.clean == pages;
	return EXTENTS_TAKEN;
}

/* Fill a stock that is low.  Returns whether it was. */
static bool
fill_ahead(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];

	if (stock->count >= stock->target)
		return false;
	if (stock->taken > (int32) stock->target)
		raise_target(space, kind);
	return add_slabs(space, kind, stock->target - stock->count) == EXTENTS_TAKEN;
}

/* Fill stocks that are low, before somebody has to wait.  False if there is no more to do. */
bool
supply_ahead(void)
{
	bool		filled = false;

	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		for (int kind = 0; control->slots[slot].in_use && kind < SLAB_KINDS; kind++)
			filled |= fill_ahead(&control->slots[slot], kind);
	}
	return filled;
}

/* Take back what is too much in a stock, once it is more than the stock will do with. */
static bool
trim(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];

	return stock->count >= STOCK_EXCESS(stock->target) &&
		remove_slabs(space, kind, stock->target) > 0;
}

/* Take back what is too much.  False if there is no more to do. */
bool
supply_trim(void)
{
	bool		trimmed = false;

	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		Namespace  *space = &control->slots[slot];

		if (!space->in_use)
			continue;
		trimmed |= take_freed_large(space) > 0;
		for (int kind = 0; kind < SLAB_KINDS; kind++)
			trimmed |= trim(space, kind);
	}
	return trimmed;
}

/*
 * The clock
 */

/* A stock that nothing was taken from is expected to be needed less. */
static bool
tick_stock(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];
	uint32		target = stock->target;
	int32		taken;
	uint32		waited;

	stock_tick(space, kind, &taken, &waited);
	if (taken <= 0 && waited == 0 && target > LEAST_STOCK)
		target /= 2;
	if (stock->count > target + target / 2)
		(void) remove_slabs(space, kind, target);
	target = Min(target, most_stock(space, kind));
	if (target != stock->target)
		stock_expect(space, kind, target);
	return taken != 0 || waited > 0;
}

/* Returns whether there is more to do soon. */
static bool
tick_namespace(Namespace *space)
{
	uint32	   *ticks = &quiet[space->slot];
	bool		used = false;

	if (*ticks == TIDY_TICKS)
		depot_tidy(space);
	for (int kind = 0; kind < SLAB_KINDS; kind++)
		used |= tick_stock(space, kind);
	*ticks = used ? 0 : *ticks + 1;
	return *ticks < QUIET_TICKS;
}

/* Returns whether there is more to do soon. */
bool
supply_tick(void)
{
	bool		busy = false;

	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (control->slots[slot].in_use)
			busy |= tick_namespace(&control->slots[slot]);
	}
	return busy;
}
