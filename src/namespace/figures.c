/*-------------------------------------------------------------------------
 *
 * figures.c
 *	  What there is to tell about a namespace.
 *
 * Figures are taken one after the other while others work, so together they
 * are exact only when nobody does.  What another process allocated last counts
 * as cached until its next call, or the end of its transaction (magazine.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>

#include "namespace/figures.h"
#include "namespace/magazine.h"
#include "namespace/region.h"

/* Pages that the kernel is asked about at a time. */
#define ASKED_PAGES 4096

static uint64
cached_in(const Shelf *shelf, NamespaceFigures *figures)
{
	uint64		objects = 0;

	for (int class = 0; class < SIZES_COUNT; class++)
	{
		uint64		count = shelf->counts[class] + shelf->returning[class];

		objects += count;
		figures->cached += count * size_classes[class].size;
	}
	return objects;
}

/* What all processes have on their shelves: objects, and in figures their bytes. */
static uint64
add_cached(Namespace *space, NamespaceFigures *figures)
{
	uint64		life = pg_atomic_read_u64(&space->life);
	uint64		objects = 0;

	for (int process = 0; process < shared_processes(); process++)
	{
		Shelf	   *shelf = magazine_shelf(process, space->slot);

		if (pg_atomic_read_u64(&shelf->life) == life)
			objects += cached_in(shelf, figures);
	}
	return objects;
}

static void
add_bin(Bin *bin, int class, NamespaceFigures *figures)
{
	const SizeClass *size = &size_classes[class];

	LWLockAcquire(&bin->lock, LW_SHARED);
	figures->objects += bin->out;
	figures->allocated += bin->out * size->size;
	figures->active += bin->slabs * slab_bytes(size->kind);
	figures->fills += bin->fills;
	figures->flushes += bin->flushes;
	LWLockRelease(&bin->lock);
}

/* Large objects and stock. */
static void
add_stock(Namespace *space, NamespaceFigures *figures)
{
	LWLockAcquire(&space->stock_lock, LW_SHARED);
	figures->objects += space->large_objects;
	figures->allocated += space->large_pages * SIZES_PAGE;
	figures->active += space->large_pages * SIZES_PAGE;
	figures->free += space->returned_pages * SIZES_PAGE;
	for (int kind = 0; kind < SLAB_KINDS; kind++)
		figures->free += space->stocks[kind].count * slab_bytes(kind);
	LWLockRelease(&space->stock_lock);
}

/* Bytes of the namespace's pages that are in memory. */
static uint64
resident_bytes(Namespace *space)
{
	unsigned char present[ASKED_PAGES];
	uint8		owner = namespace_owner(space, pg_atomic_read_u64(&space->life));
	uint64		pages = 0;

	for (Size first = 0; first < region_pages; first += ASKED_PAGES)
	{
		Size		count = Min(ASKED_PAGES, region_pages - first);

		if (mincore(pagemap_address(first), count * SIZES_PAGE, present) != 0)
			return 0;
		for (Size i = 0; i < count; i++)
			pages += (present[i] & 1) && TAG_OWNER(page_tags[first + i]) == owner;
	}
	return pages * SIZES_PAGE;
}

static bool
copy_identity(Namespace *space, NamespaceFigures *figures)
{
	bool		in_use;

	LWLockAcquire(&control->lock, LW_SHARED);
	in_use = space->in_use && space->name[0] != '\0';
	strlcpy(figures->name, space->name, NAMEDATALEN);
	figures->created_at = space->created_at;
	LWLockRelease(&control->lock);
	return in_use;
}

/* False if there is no namespace in the slot. */
bool
figures_of(int slot, NamespaceFigures *figures)
{
	Namespace  *space = &control->slots[slot];
	uint64		cached;

	memset(figures, 0, sizeof(*figures));
	if (!copy_identity(space, figures))
		return false;
	magazine_settle_slot(slot);
	figures->arena = space->arena;
	figures->size_limit = pg_atomic_read_u64(&space->limit);
	figures->committed = pg_atomic_read_u64(&space->committed);
	figures->mapped = pg_atomic_read_u64(&space->mapped);
	figures->refused = pg_atomic_read_u64(&space->refused);
	figures->has_root = pg_atomic_read_u64(&space->root) != 0;
	figures->resident = resident_bytes(space);
	for (int class = 0; class < SIZES_COUNT; class++)
		add_bin(&space->bins[class].bin, class, figures);
	figures->free += figures->active - figures->allocated;
	add_stock(space, figures);
	figures->free += figures->committed - pg_atomic_read_u64(&space->held);
	figures->free += pg_atomic_read_u64(&space->padding);
	cached = add_cached(space, figures);
	figures->objects -= Min(figures->objects, cached);
	figures->allocated -= Min(figures->allocated, figures->cached);
	return true;
}

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
