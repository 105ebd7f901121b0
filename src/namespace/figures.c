/*-------------------------------------------------------------------------
 *
 * figures.c
 *	  What there is to tell about a namespace.
 *
 * What must add up is read while nobody can change it.  What processes keep
 * they count at any time: what one has taken from the depot and not yet
 * counted, or put back and still counts, is taken for allocated.
 * What another process allocated last counts as cached until its next call, or
 * the end of its transaction (magazine.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>

#include "miscadmin.h"

#include "compat/compat.h"
#include "namespace/figures.h"
#include "namespace/magazine.h"
#include "shared/directory.h"
#include "shared/region.h"

/* Objects of each class that processes keep for themselves. */
static void
add_counts(Namespace *space, uint64 *cached)
{
	uint64		edition = pg_atomic_read_u64(&space->edition);

	for (int process = 0; process < compat_proc_count(); process++)
	{
		Counts	   *counts = counts_of(process, space->slot);

		if (pg_atomic_read_u64(&counts->edition) != edition)
			continue;
		for (int class = 0; class < SIZES_COUNT; class++)
			cached[class] += counts->cached[class] + counts->draining[class];
	}
}

/* The caller has the bin's lock. */
static void
add_bin(const Bin *bin, int class, uint64 cached, NamespaceFigures *figures)
{
	const SizeClass *size = &size_classes[class];

	cached = Min(cached, bin->out);
	figures->objects += bin->out - cached;
	figures->allocated += (bin->out - cached) * size->size;
	figures->cached += cached * size->size;
	figures->active += bin->slabs * slab_bytes(size->kind);
	figures->fills += bin->fills;
	figures->flushes += bin->flushes;
}

/* The caller has the stock's lock. */
static void
add_large(const Namespace *space, NamespaceFigures *figures)
{
	figures->objects += space->large_objects;
	figures->allocated += space->large_pages * SIZES_PAGE;
	figures->active += space->large_pages * SIZES_PAGE;
}

/*
 * With all locks of the depot, in the order in which others take them, nobody
 * takes objects or slabs out of what is committed, or brings them back.  The
 * keeper counts pages before it gives them and after it has got them back.
 */
static void
add_depot(Namespace *space, NamespaceFigures *figures)
{
	uint64		cached[SIZES_COUNT] = {0};

	for (int class = 0; class < SIZES_COUNT; class++)
		LWLockAcquire(&space->bins[class].bin.lock, LW_SHARED);
	LWLockAcquire(&space->stock_lock, LW_SHARED);
	add_counts(space, cached);
	for (int class = 0; class < SIZES_COUNT; class++)
		add_bin(&space->bins[class].bin, class, cached[class], figures);
	add_large(space, figures);
	figures->committed = pg_atomic_read_u64(&space->committed);
	LWLockRelease(&space->stock_lock);
	for (int class = SIZES_COUNT - 1; class >= 0; class--)
		LWLockRelease(&space->bins[class].bin.lock);
	figures->mapped = figures->committed;
	figures->free = figures->committed - figures->allocated - figures->cached;
}

/*
 * What is resident
 */

/* Pages from one on that belong to one owner, since a tag speaks for them. */
typedef struct Reach
{
	uint8		owner;			/* 0 for nobody */
	Size		end;
} Reach;

/* How far the tag of a page speaks. */
static Reach
reach_of(Size page)
{
	PageTag		tag = page_tags[page];
	bool		large = TAG_CLASS(tag) == CLASS_LARGE || TAG_CLASS(tag) == CLASS_LARGE_FREED;

	return (Reach) {TAG_OWNER(tag), page + (large ? Max(1, page_slabs[page].pages) : 1)};
}

/* Count the pages of a group that are in memory, says the kernel, as their owners'. */
static void
add_group(Size page, Reach *reach, uint64 *resident)
{
	unsigned char present[GROUP_PAGES];
	Size		count = Min(GROUP_PAGES, region_pages - page);

	if (mincore(region_address(page), count * SIZES_PAGE, present) != 0)
		return;
	for (Size i = 0; i < count; i++)
	{
		if (page + i >= reach->end)
			*reach = reach_of(page + i);
		if (present[i] & 1)
			resident[reach->owner] += SIZES_PAGE;
	}
}

/*
 * Bytes of the pages with each owner's tag that are in memory.  Only groups of
 * pages that are in use are looked at, since looking at tags takes memory.
 */
void
figures_resident(uint64 *resident)
{
	Reach		reach = {0};

	memset(resident, 0, FIGURES_OWNERS * sizeof(uint64));
	for (Size page = 0; page < region_pages; page += GROUP_PAGES)
	{
		CHECK_FOR_INTERRUPTS();
		if (page_groups[page / GROUP_PAGES] > 0)
			add_group(page, &reach, resident);
	}
}

/* Only who it is.  False if there is no namespace in the slot. */
bool
figures_name(int slot, NamespaceFigures *figures)
{
	Namespace  *space = &control->slots[slot];
	DirectoryEntry entry;
	bool		in_use = directory_read(space, &entry);

	memset(figures, 0, sizeof(*figures));
	strlcpy(figures->name, entry.name, NAMEDATALEN);
	figures->created_at = entry.created_at;
	figures->owner = namespace_owner(space, entry.edition);
	return in_use;
}

/* All but what is resident.  False if there is no namespace in the slot. */
bool
figures_of(int slot, NamespaceFigures *figures)
{
	Namespace  *space = &control->slots[slot];

	if (!figures_name(slot, figures))
		return false;
	magazine_forget_last_of(slot);
	figures->size_limit = pg_atomic_read_u64(&space->limit);
	figures->refused = pg_atomic_read_u64(&space->refused);
	figures->has_root = pg_atomic_read_u64(&space->root) != 0;
	add_depot(space, figures);
	return true;
}

/* Of the slabs of one size class. */
void
figures_of_bin(int slot, int class, BinFigures *figures)
{
	Bin		   *bin = &control->slots[slot].bins[class].bin;

	LWLockAcquire(&bin->lock, LW_SHARED);
	figures->curregs = bin->out;
	figures->curslabs = bin->slabs;
	figures->nonfull_slabs = bin->nonfull;
	LWLockRelease(&bin->lock);
	figures->size = size_classes[class].size;
	figures->capacity = size_classes[class].capacity;
	figures->slab_bytes = slab_bytes(size_classes[class].kind);
}
