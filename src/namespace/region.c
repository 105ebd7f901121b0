/*-------------------------------------------------------------------------
 *
 * region.c
 *	  The address space of all namespaces.
 *
 * Which pages are taken is a bitmap, so that free neighbours are one run
 * without further ado.  Pages that are released while memory is behind them
 * are removed later, in runs as long as possible: every removal looks through
 * the page tables of all processes of the server.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "arena/limit.h"
#include "arena/machine.h"
#include "namespace/faults.h"
#include "namespace/region.h"

#define WORD_BITS 64

int			namespace_memory;
char	   *region_base;
Size		region_pages;

/* The keeper's own: a bit for each page. */
static uint64 *taken;
static uint64 *unclean;			/* free, with memory behind it */
static Size unclean_pages;

static inline bool
bit(const uint64 *map, Size page)
{
	return (map[page / WORD_BITS] >> page % WORD_BITS) & 1;
}

static void
set_bits(uint64 *map, Size page, Size pages)
{
	for (Size i = page; i < page + pages; i++)
		map[i / WORD_BITS] |= UINT64CONST(1) << i % WORD_BITS;
}

static void
clear_bits(uint64 *map, Size page, Size pages)
{
	for (Size i = page; i < page + pages; i++)
		map[i / WORD_BITS] &= ~(UINT64CONST(1) << i % WORD_BITS);
}

static Size
bitmap_words(void)
{
	return (region_pages + WORD_BITS - 1) / WORD_BITS;
}

/* Shared memory without a file, or NULL. */
void *
region_map(Size bytes)
{
	void	   *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
							 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

/*
 * Empty a mapping, which outlives a crash of the server.  There is no going
 * on if that fails: what the dead have left would be taken for zeros.
 */
void
region_wipe(void *start, Size bytes)
{
	if (madvise(start, bytes, MADV_REMOVE) != 0)
		ereport(FATAL,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not empty the memory of namespaces: %m")));
}

/* In the postmaster: map the region, or empty it after a crash. */
bool
region_enter(void)
{
	if (region_base != NULL)
	{
		region_wipe(region_base, region_size());
		pagemap_wipe();
		return true;
	}
	region_pages = (Size) namespace_memory * 1024 / SIZES_PAGE;
	region_base = region_map(region_size());
	if (region_base != NULL && pagemap_map())
		return true;
	if (region_base != NULL)
		munmap(region_base, region_size());
	region_base = NULL;
	return false;
}

Size
region_size(void)
{
	return region_pages * SIZES_PAGE;
}

/* In the keeper, when it starts: nothing is taken but the first page. */
bool
region_open(void)
{
	Size		words = bitmap_words();

	taken = calloc(words, sizeof(uint64));
	unclean = calloc(words, sizeof(uint64));
	if (taken == NULL || unclean == NULL)
		return false;
	set_bits(taken, 0, 1);
	set_bits(taken, region_pages, words * WORD_BITS - region_pages);
	return true;
}

/* The first free page from page on, or the number of pages. */
static Size
next_free(Size page)
{
	while (page < region_pages)
	{
		uint64		free = ~taken[page / WORD_BITS] >> page % WORD_BITS;

		if (free != 0)
			return page + pg_rightmost_one_pos64(free);
		page = (page / WORD_BITS + 1) * WORD_BITS;
	}
	return region_pages;
}

/* How many of the pages, at most so many, are free from page on? */
static Size
free_run(Size page, Size most)
{
	Size		pages = 0;

	while (pages < most && page + pages < region_pages && !bit(taken, page + pages))
		pages++;
	return pages;
}

/* The lowest run of free pages that fits, or NO_PAGE. */
static Size
find_run(Size pages, Size alignment)
{
	Size		page = next_free(1);

	while (page + pages <= region_pages)
	{
		Size		run;

		page = TYPEALIGN(alignment, page);
		run = free_run(page, pages);
		if (run >= pages)
			return page;
		page = next_free(page + run + 1);
	}
	return NO_PAGE;
}

/* The kernel would not take these back: they are not free any more, and not clean. */
static void
take_unclean(Size page, Size pages)
{
	for (Size i = page; i < page + pages; i++)
	{
		if (!bit(unclean, i))
			continue;
		clear_bits(unclean, i, 1);
		unclean_pages--;
		pg_atomic_fetch_sub_u64(&control->committed, SIZES_PAGE);
	}
}

static bool
any_unclean(Size page, Size pages)
{
	for (Size i = page; i < page + pages; i++)
	{
		if (bit(unclean, i))
			return true;
	}
	return false;
}

/*
 * Take a run of pages.  clean says whether they are empty and take no memory.
 * NO_PAGE when there is none.
 */
Size
region_reserve(Size pages, Size alignment, bool *clean)
{
	Size		page = find_run(pages, alignment);

	if (page == NO_PAGE)
		return NO_PAGE;
	if (any_unclean(page, pages))
		region_trim();
	*clean = !any_unclean(page, pages);
	if (!*clean)
		take_unclean(page, pages);
	set_bits(taken, page, pages);
	return page;
}

/* Give back a run of pages; committed if memory may be behind them. */
void
region_release(Size page, Size pages, bool committed)
{
	clear_bits(taken, page, pages);
	if (committed)
	{
		set_bits(unclean, page, pages);
		unclean_pages += pages;
	}
}

/* Have the kernel take the memory behind pages; they read as zeros then. */
bool
region_remove(Size page, Size pages)
{
	if (fault_is_due(REMOVE))
		return false;
	if (madvise(pagemap_address(page), pages * SIZES_PAGE, MADV_REMOVE) != 0)
		return false;
	pg_atomic_fetch_sub_u64(&control->committed, pages * SIZES_PAGE);
	return true;
}

static bool
any_taken(Size page, Size pages)
{
	for (Size i = page; i < page + pages; i++)
	{
		if (bit(taken, i))
			return true;
	}
	return false;
}

/* The descriptors of free pages take no memory, either, where they fill a page. */
static void
remove_descriptors(Size page, Size pages)
{
	Size		group = SIZES_PAGE / sizeof(Slab);

	for (Size first = TYPEALIGN_DOWN(group, page); first < page + pages; first += group)
	{
		if (first + group <= region_pages && !any_taken(first, group))
			(void) madvise(&page_slabs[first], SIZES_PAGE, MADV_REMOVE);
	}
}

/* Remove what was released since the last time. */
void
region_trim(void)
{
	for (Size page = 1; unclean_pages > 0 && page < region_pages;)
	{
		Size		pages = 0;

		if (unclean[page / WORD_BITS] == 0)
		{
			page = (page / WORD_BITS + 1) * WORD_BITS;
			continue;
		}
		while (page + pages < region_pages && bit(unclean, page + pages))
			pages++;
		if (pages > 0 && region_remove(page, pages))
		{
			clear_bits(unclean, page, pages);
			unclean_pages -= pages;
			remove_descriptors(page, pages);
		}
		page += pages + 1;
	}
}

/*
 * May so many bytes more be taken from the machine?  This is the place for
 * every limit that does not belong to one namespace.
 */
bool
region_may_commit(Size bytes)
{
	return limit_admits_namespace(bytes) && machine_may_take(bytes);
}
