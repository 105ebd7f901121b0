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

#include "storage/procsignal.h"

#include "compat/clock.h"
#include "compat/compat.h"
#include "keeper/supply.h"
#include "shared/counts.h"
#include "shared/depot.h"
#include "shared/failpoint.h"
#include "shared/stock.h"

/* Ticks without anything to do after which the clock stands still. */
#define QUIET_TICKS 30

/* Ticks after which a namespace that is not used loses the empty slabs that its bins keep. */
#define TIDY_TICKS 5

/* Ticks for which a process's magazines stand still before they are asked for. */
#define STILL_TICKS 5

/* Slabs in the stock of a namespace in use, of each kind: at least, and at first. */
#define LEAST_STOCK 8
#define FIRST_STOCK 64

/*
 * The stock of each kind is at most this part of what a namespace holds, and of
 * what it may hold.
 */
#define HELD_PART 24
#define STOCK_PART 64

/*
 * Slabs allocated, and slabs or large objects taken back, before those who wait
 * are looked after again.
 */
#define BATCH 64
#define BACK_BATCH 512

/* When memory is short: how long magazines are waited for, and how often they are asked for. */
#define CALL_MS 200
#define CALL_AGAIN_MS 1000

/* Ticks since slabs were last asked of each namespace. */
static uint32 quiet[NAMESPACE_SLOTS];

/* When what processes keep was asked for, of each namespace and, last, of all. */
typedef struct Call
{
	bool		made;
	int64		made_at;		/* of clock_ms() */
} Call;

static Call calls[NAMESPACE_SLOTS + 1];

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
	FAULT_POINT(DIE_KEEPER);
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
take_returned(Namespace *space)
{
	uint32		page = stock_freed_large(space, BACK_BATCH);
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
	Size		pages = take_returned(space);

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
	uint64		bytes = Max(FIRST_STOCK * slab_bytes(kind), committed / HELD_PART);

	return Max(1, Min(bytes, region_limit(space) / STOCK_PART) / slab_bytes(kind));
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
		trimmed |= take_returned(space) > 0;
		for (int kind = 0; kind < SLAB_KINDS; kind++)
			trimmed |= trim(space, kind);
	}
	return trimmed;
}

/*
 * What processes keep
 */

/* Objects that a process keeps, as a number that changes when they do; 0 if there are none. */
static uint32
sum_of(const Counts *counts)
{
	uint32		sum = 0;

	for (int class = 0; class < SIZES_COUNT; class++)
		sum = sum * 31 + counts->cached[class] + counts->draining[class];
	return sum;
}

/* Has the process, if there is one, objects of the namespace that is in the slot now? */
static bool
has_objects(int process, int slot)
{
	Counts	   *counts = counts_of(process, slot);

	return GetPGProcByNumber(process)->pid != 0 &&
		pg_atomic_read_u64(&counts->life) == pg_atomic_read_u64(&control->slots[slot].life) &&
		sum_of(counts) != 0;
}

/*
 * An idle backend is woken up for it, another process comes to the end of its
 * transaction or, if it has none, is woken up to call something.
 */
static void
ask_process(int process, int slot)
{
	PGPROC	   *proc = GetPGProcByNumber(process);

	if (pg_atomic_exchange_u32(&counts_of(process, slot)->flush_wanted, 1) != 0)
		return;
	if (proc->backendId != InvalidBackendId)
		SendProcSignal(proc->pid, PROCSIG_CATCHUP_INTERRUPT, proc->backendId);
	else
		SetLatch(&proc->procLatch);
}

/* For those of one namespace or, with NULL, of all. */
static bool
ask_processes(const Namespace *space)
{
	bool		asked = false;

	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (!control->slots[slot].in_use || (space != NULL && space->slot != slot))
			continue;
		for (int process = 0; process < compat_proc_count(); process++)
		{
			if (!has_objects(process, slot))
				continue;
			ask_process(process, slot);
			asked = true;
		}
	}
	return asked;
}

/*
 * There is no memory but for what processes keep, if they do: have them give
 * it back.  True if that may be worth waiting for.
 */
bool
supply_call_in(Namespace *space)
{
	Call	   *call = &calls[space ? space->slot : NAMESPACE_SLOTS];
	int64		now = clock_ms();

	if (call->made && now - call->made_at < CALL_MS)
		return true;
	if (call->made && now - call->made_at < CALL_AGAIN_MS)
		return false;
	call->made = ask_processes(space);
	call->made_at = now;
	return call->made;
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

/* Ask a process for what it keeps, if that stands still. */
static bool
tick_process(int process, int slot)
{
	Counts	   *counts = counts_of(process, slot);
	uint32		sum = has_objects(process, slot) ? sum_of(counts) : 0;

	if (sum == 0)
		return false;
	if (sum != pg_atomic_read_u32(&counts->sum))
	{
		pg_atomic_write_u32(&counts->sum, sum);
		return true;
	}
	ask_process(process, slot);
	return false;
}

static bool
tick_processes(int slot)
{
	bool		busy = false;

	for (int process = 0; process < compat_proc_count(); process++)
		busy |= tick_process(process, slot);
	return busy;
}

/* Returns whether there is more to do soon. */
bool
supply_tick(void)
{
	static uint32 ticks;
	bool		busy = false;

	ticks++;
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		Namespace  *space = &control->slots[slot];

		if (!space->in_use)
			continue;
		busy |= tick_namespace(space);
		if (ticks % STILL_TICKS == 0)
			busy |= tick_processes(slot);
	}
	return busy || ticks % STILL_TICKS != 0;
}
