/*-------------------------------------------------------------------------
 *
 * extents.c
 *	  The pages of each namespace, for the keeper.
 *
 * What a namespace holds is a set of pages, which is doomed as a whole when it
 * is reset or dropped: nobody may use them then, and step by step they lose
 * their tags and are free.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/limit.h"
#include "keeper/extents.h"
#include "keeper/pageset.h"
#include "shared/failpoint.h"
#include "shared/pagemap.h"

/* Pages of slabs, and large objects, that lose their tags in one step. */
#define CLEARED_PAGES 4096

/* Free pages are removed when they are this part of all, or when nothing is taken. */
#define UNCLEAN_DIVISOR 32
#define UNCLEAN_LEAST ((Size) 1024 * 1024)
#define QUIET_TICKS 5

static PageSet held[NAMESPACE_SLOTS];	/* by slot */
static PageSet doomed;			/* taken, and no namespace's */

/* Tags there are with each owner. */
static Size tags[UINT8_MAX + 1];

static bool removing;			/* unclean pages, until there are none */
static int	quiet_ticks;		/* since pages were taken the last time */

/* When the keeper starts.  False without memory. */
bool
extents_open(void)
{
	return pages_open() && pageset_map(&doomed, region_pages);
}

/* What the tags of its pages have as their owner. */
static uint8
owner_now(Namespace *space)
{
	return namespace_owner(space, pg_atomic_read_u64(&space->edition));
}

/*
 * May this many bytes more be taken from the machine?  If they may, they are
 * held next.
 */
static bool
may_commit(Size bytes)
{
	return !failpoint_is_due(COMMIT) && limit_admits_namespace(bytes);
}

/* Pages that the namespace may have more. */
static Size
room(Namespace *space)
{
	Size		limit = region_limit(space);
	Size		committed = pg_atomic_read_u64(&space->committed);

	return limit > committed ? (limit - committed) / SIZES_PAGE : 0;
}

/* The pages of a run are the namespace's from now on.  False without memory. */
static bool
hold(Namespace *space, const PageRun *run)
{
	PageSet    *set = &held[space->slot];
	bool		mapped = set->leaves > 0 || pageset_map(set, region_pages);

	if (mapped)
	{
		quiet_ticks = 0;
		pages_take(run);
		pageset_add(set, run->page, run->pages);
		pg_atomic_fetch_add_u64(&space->committed, run->pages * SIZES_PAGE);
	}
	limit_settle();
	return mapped;
}

/* Pages for slabs: a multiple of unit, and not more than most. */
ExtentsResult
extents_take_slabs(Namespace *space, Size unit, Size most, PageRun *run)
{
	most = Min(most, room(space));
	if (most < unit)
		return EXTENTS_LIMITED;
	if (!pages_find_low(unit, most, run))
		return EXTENTS_SCARCE;
	if (!may_commit(run->clean * SIZES_PAGE))
	{
		pages_shorten(run, unit);
		if (!may_commit(run->clean * SIZES_PAGE))
			return EXTENTS_SCARCE;
	}
	if (!hold(space, run))
		return EXTENTS_SCARCE;
	pagemap_set(run->page, run->pages, owner_now(space), CLASS_UNUSED);
	tags[owner_now(space)] += run->pages;
	return EXTENTS_TAKEN;
}

/* Pages for a large object, of which the first is tagged. */
ExtentsResult
extents_take_large(Namespace *space, Size pages, PageRun *run)
{
	if (pages > room(space))
		return EXTENTS_LIMITED;
	if (!pages_find_high(pages, run) || !may_commit(run->clean * SIZES_PAGE) || !hold(space, run))
		return EXTENTS_SCARCE;
	page_slabs[run->page].pages = pages;
	pagemap_set(run->page, 1, owner_now(space), CLASS_LARGE);
	tags[owner_now(space)]++;
	return EXTENTS_TAKEN;
}

/* How many pages from a tagged one on does the tag speak for? */
static Size
tagged_pages(Size page)
{
	switch (TAG_CLASS(page_tags[page]))
	{
		case CLASS_LARGE:
		case CLASS_LARGE_FREED:
			return page_slabs[page].pages;
		default:
			return 1;
	}
}

/* Take the tags away from pages, and from some more if a large object ends beyond. */
static Size
clear_tags(Size page, Size pages)
{
	Size		end = page + pages;
	Size		next = page;

	while (next < end)
	{
		Size		count = tagged_pages(next);

		tags[TAG_OWNER(page_tags[next])]--;
		page_tags[next] = 0;
		next += count;
	}
	return next - page;
}

/* A large object, or slabs. */
void
extents_free(Namespace *space, Size page, Size pages)
{
	(void) clear_tags(page, pages);
	pageset_remove(&held[space->slot], page, pages);
	pages_release(page, pages);
	pg_atomic_fetch_sub_u64(&space->committed, pages * SIZES_PAGE);
}

/* Are there no pages left with tags like those of the edition that would be next? */
bool
extents_can_clear(Namespace *space, uint64 next_edition)
{
	return tags[namespace_owner(space, next_edition)] == 0;
}

/* What the namespace has held is nobody's any more. */
void
extents_clear(Namespace *space)
{
	if (held[space->slot].leaves == 0)
		return;
	pageset_move(&held[space->slot], &doomed);
	pg_atomic_write_u64(&space->committed, 0);
}

/* Some of the doomed pages are free from now on; how many. */
static Size
clear_doomed(void)
{
	Size		page = pageset_next(&doomed, 0);
	Size		pages;

	if (page == 0)
		return 0;
	pages = clear_tags(page, pageset_run(&doomed, page, CLEARED_PAGES));
	pageset_remove(&doomed, page, pages);
	pages_release(page, pages);
	return pages;
}

/*
 * Get pages back that nobody uses: a step of all that there is to do, or of
 * what should not wait.  Returns how many they were.
 */
Size
extents_sweep(bool all)
{
	Size		excess = Max(UNCLEAN_LEAST, control_committed() / UNCLEAN_DIVISOR);
	Size		pages = clear_doomed();

	if (pages > 0)
		return pages;
	removing |= all || pages_unclean() > excess;
	if (removing)
		pages = pages_remove();
	removing = pages > 0;
	return pages;
}

/* The keeper's clock: returns whether there are pages to be removed soon. */
bool
extents_tick(void)
{
	removing |= ++quiet_ticks >= QUIET_TICKS;
	return pages_unclean() > 0;
}
