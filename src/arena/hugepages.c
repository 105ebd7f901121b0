/*-------------------------------------------------------------------------
 *
 * hugepages.c
 *	  What of the arenas' memory is in transparent huge pages.
 *
 * Most pages of jemalloc's extents are touched here and there, and given back
 * one by one.  Huge ones, where they are the kernel's default, would be filled
 * up, by the kernel itself after a while.  So mappings have none.
 *
 * Large extents are touched from one end to the other.  The kernel finds a huge
 * page for them in less time than it takes 512 faults for, and the processor
 * has fewer addresses to look up.  They have huge pages from when they are
 * committed until they are decommitted, so these never reach beyond what is
 * counted.  Where the kernel's setting is "never", that changes nothing.
 *
 * The largest are mostly single strings, made once, of which a virtual machine
 * that has returned free memory to its host must have it again at once.
 *
 * These functions are called from extent hooks.  What madvise() answers does
 * not matter: it is advice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>

#include "utils/guc.h"

#include "arena/hugepages.h"
#include "jemalloc/mallctl.h"
#include "server/pressure.h"

/* Extents that have huge pages: from the largest block that PostgreSQL's contexts make on. */
#define LARGE ((Size) 8 * 1024 * 1024)
#define LARGEST ((Size) 32 * 1024 * 1024)

/* A block is filled.  What is larger than this grows by doubling, and its end may not be needed. */
#define LARGEST_BLOCK (LARGE + LARGE / 8)
#define SURE(size) ((size) / 4 * 3)

/* The size of a huge page, or near it. */
#define HUGE_PAGE ((uintptr_t) 2 * 1024 * 1024)

#define NO_ADVICE (-1)

/* Setting */
static bool transparent_huge_pages;

/* What the kernel is told of new mappings, for madvise(), or NO_ADVICE. */
static int	default_advice;

/* Has any extent of this process had huge pages? */
static bool used = false;

/* Of pages that have been mapped. */
void
hugepages_mapped(void *pages, Size size)
{
	if (default_advice != NO_ADVICE)
		madvise(pages, size, default_advice);
}

/* Not while memory is short: what is not touched is not needed then. */
static bool
are_wanted(Size size)
{
	return size >= LARGE && size <= LARGEST && transparent_huge_pages &&
		default_advice == MADV_NOHUGEPAGE && pressure_level() == PRESSURE_NONE;
}

/* Of pages that are going to be used. */
void
hugepages_committed(void *pages, Size size)
{
	if (!are_wanted(size))
		return;
	madvise(pages, size > LARGEST_BLOCK ? SURE(size) : size, MADV_HUGEPAGE);
	used = true;
}

/*
 * Of pages that are about to be returned to the system.  Of a huge page the
 * kernel gets nothing back before all of it is returned, or memory is short;
 * but MADV_FREE of a part makes it many small ones.
 */
void
hugepages_decommitting(void *pages, Size size)
{
	uintptr_t	start = (uintptr_t) pages;
	uintptr_t	last = TYPEALIGN_DOWN(HUGE_PAGE, start + size);

	if (!used)
		return;
	if (start % HUGE_PAGE != 0)
		madvise(pages, 1, MADV_FREE);
	if (last >= start && last < start + size)
		madvise((void *) last, 1, MADV_FREE);
}

/*
 * Of pages that have been returned.  What is beside them, where no huge page
 * fits any more, loses nothing; and a large extent that is used again for small
 * ones would become thousands of mappings otherwise, of which a process may
 * have vm.max_map_count only.
 */
void
hugepages_decommitted(void *pages, Size size)
{
	uintptr_t	start = TYPEALIGN_DOWN(HUGE_PAGE, (uintptr_t) pages);
	uintptr_t	end = TYPEALIGN(HUGE_PAGE, (uintptr_t) pages + size);

	if (used)
		madvise((void *) start, end - start, MADV_NOHUGEPAGE);
}

/* jemalloc does what opt.thp says for its own mappings; we do the same for those of the hooks. */
static int
jemallocs_advice(void)
{
	const char *thp = mallctl_string("opt.thp");

	if (strcmp(thp, "never") == 0)
		return MADV_NOHUGEPAGE;
	return strcmp(thp, "always") == 0 ? MADV_HUGEPAGE : NO_ADVICE;
}

/* In the postmaster, before any arena has our hooks. */
void
hugepages_enter(void)
{
	default_advice = jemallocs_advice();
	DefineCustomBoolVariable("jemctx.transparent_huge_pages",
							 "Puts large pieces of memory into transparent huge pages.",
							 "Those of 8 to 32 MB, where the kernel's setting for these is "
							 "\"madvise\" or \"always\".",
							 &transparent_huge_pages, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
}
