/*-------------------------------------------------------------------------
 *
 * pages.c
 *	  Which pages of the region are free, for the keeper.
 *
 * Slabs lie as low as possible and large objects as high, so that those which
 * come and go one by one do not cut up what those need in one piece.
 *
 * Pages are removed in runs as long as possible, since every removal looks
 * through the page tables of all processes of the server, but not in longer
 * ones than the kernel can do while somebody waits for the keeper.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>

#include "keeper/pages.h"
#include "keeper/pageset.h"
#include "shared/failpoint.h"
#include "shared/pagemap.h"

/* Pages that are removed in one go. */
#define REMOVED_PAGES 1024

static PageSet taken;
static PageSet unclean;			/* none of them taken */
static Size unclean_pages;

/* Where the next removal looks on, and whether there was any on the way there. */
static Size removed_to;
static bool removed_any;

/* When the keeper starts: nothing is taken but the first page.  False without memory. */
bool
pages_open(void)
{
	if (!pageset_map(&taken, region_pages) || !pageset_map(&unclean, region_pages))
		return false;
	pageset_end(&taken, region_pages);
	pageset_add(&taken, 0, 1);
	return true;
}

/* Fill in what a search has found. */
static bool
found(PageRun *run, Size page, Size pages)
{
	run->page = page;
	run->pages = pages;
	run->clean = pages - pageset_count(&unclean, page, pages);
	return true;
}

/* The lowest free run of a multiple of unit, and not more than most. */
bool
pages_find_low(Size unit, Size most, PageRun *run)
{
	Size		page = failpoint_is_due(ALLOC) ? 0 : pageset_lowest_gap(&taken, unit);
	Size		pages;

	if (page == 0)
		return false;
	pages = pageset_room(&taken, page, most);
	return found(run, page, pages - pages % unit);
}

/* The highest free run of that length. */
bool
pages_find_high(Size pages, PageRun *run)
{
	Size		page = failpoint_is_due(ALLOC) ? 0 : pageset_highest_gap(&taken, pages);

	return page != 0 && found(run, page, pages);
}

/* Only the first pages of a run that was found. */
void
pages_shorten(PageRun *run, Size pages)
{
	found(run, run->page, pages);
}

/* Count pages in, or with sign -1 out, for those who look at the region as a whole. */
static void
count_groups(Size page, Size pages, int sign)
{
	Size		end = page + pages;

	while (page < end)
	{
		Size		next = Min(end, (page / GROUP_PAGES + 1) * GROUP_PAGES);

		page_groups[page / GROUP_PAGES] += sign * (int) (next - page);
		page = next;
	}
}

/* Pages that were found are free no more. */
void
pages_take(const PageRun *run)
{
	pageset_add(&taken, run->page, run->pages);
	if (run->clean < run->pages)
		pageset_remove(&unclean, run->page, run->pages);
	unclean_pages -= run->pages - run->clean;
	pg_atomic_fetch_add_u64(&control->committed, run->clean * SIZES_PAGE);
	count_groups(run->page, run->pages, 1);
}

/* Pages with tags of nobody are free, and unclean. */
void
pages_release(Size page, Size pages)
{
	pageset_remove(&taken, page, pages);
	pageset_add(&unclean, page, pages);
	unclean_pages += pages;
	count_groups(page, pages, -1);
}

/* Bytes of free pages that may take memory. */
Size
pages_unclean(void)
{
	return unclean_pages * SIZES_PAGE;
}

/*
 * What the page map has about free pages takes no memory, either, where that
 * fills a page: width bytes for each page of the region, from base on.
 */
static void
remove_entries(void *base, Size width, Size page, Size pages)
{
	Size		group = SIZES_PAGE / width;
	Size		first = TYPEALIGN_DOWN(group, page);
	Size		end = Min(TYPEALIGN(group, page + pages), TYPEALIGN_DOWN(group, region_pages));

	if (first < page && pageset_count(&taken, first, page - first) > 0)
		first += group;
	if (end > page + pages && pageset_count(&taken, page + pages, end - page - pages) > 0)
		end -= group;
	if (first < end)
		(void) madvise((char *) base + first * width, (end - first) * width, MADV_REMOVE);
}

/*
 * Remove the next unclean run.  Returns how many pages that were, 0 when none
 * is left but those that the kernel does not take back.
 */
Size
pages_remove(void)
{
	for (;;)
	{
		Size		page = unclean_pages > 0 ? pageset_next(&unclean, removed_to) : 0;
		Size		pages;

		if (page == 0 && !removed_any)
			break;
		if (page == 0)
		{
			/* once more from the start: there may be new ones */
			removed_to = 0;
			removed_any = false;
			continue;
		}
		pages = pageset_run(&unclean, page, REMOVED_PAGES);
		removed_to = page + pages;
		if (!region_remove(page, pages))
			continue;
		pageset_remove(&unclean, page, pages);
		unclean_pages -= pages;
		removed_any = true;
		pg_atomic_fetch_sub_u64(&control->committed, pages * SIZES_PAGE);
		remove_entries(page_slabs, sizeof(Slab), page, pages);
		remove_entries(page_tags, sizeof(PageTag), page, pages);
		return pages;
	}
	removed_to = 0;
	return 0;
}
