/*-------------------------------------------------------------------------
 *
 * hooks.c
 *	  Where the arenas' memory comes from.
 *
 * The hooks hand address space to jemalloc uncommitted, so that it calls the
 * commit and decommit hooks for every extent it really uses or gives back.
 * Their balance is the memory that may be resident, exact at any time, even
 * in the middle of a statement, without asking jemalloc for statistics.
 *
 * Where the kernel overcommits, committing is only counting: pages appear
 * when they are touched.  Where it does not (vm.overcommit_memory = 2) every
 * accessible page is charged, so uncommitted memory must be inaccessible, and
 * committing can fail.  It also fails at a limit.
 *
 * jemalloc holds mutexes of the arena while a hook runs: nothing in here may
 * raise errors, allocate, or take locks.  See "arena.<i>.extent_hooks" in
 * jemalloc(3).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "miscadmin.h"

#include "arena/growth.h"
#include "arena/hooks.h"
#include "arena/hugepages.h"
#include "arena/limit.h"
#include "arena/scarcity.h"
#include "jemalloc/mallctl.h"
#include "jemalloc/overcommit.h"
#include "server/account.h"

#define ACCESSIBLE (PROT_READ | PROT_WRITE)
#define MAP_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS)

/* Set in the postmaster, constant in its children. */
static size_t page_size;

/* The unit in which jemalloc counts. */
static size_t counted_page;

/* While false no arena can grow; see adopt.c. */
static bool growth_allowed = true;

/* The arenas that have our hooks. */
#define MAX_ARENAS 4
static ArenaHooks *begun[MAX_ARENAS];
static int	begun_count = 0;

/* The arena has committed more bytes, or fewer, by a negative number. */
static void
count(extent_hooks_t *hooks, int64 bytes)
{
	pg_atomic_fetch_add_u64(&((ArenaHooks *) hooks)->committed, bytes);
	account_change(bytes);
}

/* The arena has these pages from now on. */
static void
committed(extent_hooks_t *hooks, void *pages, size_t size)
{
	hugepages_committed(pages, size);
	count(hooks, size);
}

/* Map size bytes; the result is aligned to a page only. */
static void *
map_pages(void *wanted, size_t size, bool accessible)
{
	void	   *pages;

	if (accessible || overcommit)
		pages = mmap(wanted, size, ACCESSIBLE, MAP_FLAGS | (overcommit ? MAP_NORESERVE : 0), -1, 0);
	else
		pages = mmap(wanted, size, PROT_NONE, MAP_FLAGS | MAP_NORESERVE, -1, 0);
	return pages == MAP_FAILED ? NULL : pages;
}

/* Map size bytes aligned to alignment: more than needed, then cut off both ends. */
static void *
map_aligned(size_t size, size_t alignment, bool accessible)
{
	size_t		extra = alignment - page_size;
	char	   *pages;
	size_t		lead;

	if (size + extra < size)
		return NULL;
	pages = map_pages(NULL, size + extra, accessible);
	if (pages == NULL)
		return NULL;
	lead = TYPEALIGN(alignment, (uintptr_t) pages) - (uintptr_t) pages;
	if (lead > 0)
		munmap(pages, lead);
	if (extra > lead)
		munmap(pages + lead + size, extra - lead);
	return pages + lead;
}

/* Map pages, there if it matters where. */
static void *
map_extent(void *wanted, size_t size, size_t alignment, bool accessible)
{
	void	   *pages;

	if (wanted == NULL)
		return map_aligned(size, Max(alignment, page_size), accessible);
	pages = map_pages(wanted, size, accessible);
	if (pages != wanted && pages != NULL)
	{
		munmap(pages, size);
		pages = NULL;
	}
	return pages;
}

/*
 * Bytes of the pages that the process's arenas hold and do not use.  Of an
 * arena whose count is not known yet: none.
 */
Size
hooks_kept(void)
{
	int64		kept = 0;

	for (int i = 0; i < begun_count; i++)
	{
		if (begun[i]->active != NULL)
			kept += (int64) pg_atomic_read_u64(&begun[i]->committed) -
				(int64) (*begun[i]->active * counted_page);
	}
	return Max(kept, 0);
}

/* May an arena commit so many bytes more?  Once it has, or has not: limit_settle(). */
static bool
admits(size_t bytes)
{
	return growth_admits(bytes, hooks_kept()) && limit_admits(bytes);
}

static void *
hook_alloc(extent_hooks_t *hooks, void *new_addr, size_t size, size_t alignment,
		   bool *zero, bool *commit, unsigned arena_ind)
{
	void	   *pages;

	if (!growth_allowed || scarcity_due() || (*commit && !admits(size)))
		return NULL;
	pages = map_extent(new_addr, size, alignment, *commit);
	if (pages != NULL)
		hugepages_mapped(pages, size);
	if (pages != NULL && *commit)
		committed(hooks, pages, size);
	limit_settle();
	*zero = true;
	return pages;
}

/* Address space is never given back: jemalloc keeps it for reuse, decommitted. */
static bool
hook_dalloc(extent_hooks_t *hooks, void *addr, size_t size, bool committed, unsigned arena_ind)
{
	return true;
}

/* Fresh pages, which the kernel does not charge. */
static bool
make_inaccessible(char *start, size_t length)
{
	if (mmap(start, length, PROT_NONE, MAP_FLAGS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		return false;
	hugepages_mapped(start, length);
	return true;
}

/*
 * Have the kernel charge pages.  It may refuse having charged some; mapping
 * them again instead, it could refuse having unmapped them.
 */
static bool
make_accessible(char *start, size_t length)
{
	if (mprotect(start, length, ACCESSIBLE) == 0)
		return true;
	make_inaccessible(start, length);
	return false;
}

static bool
hook_commit(extent_hooks_t *hooks, void *addr, size_t size,
			size_t offset, size_t length, unsigned arena_ind)
{
	char	   *start = (char *) addr + offset;
	bool		done;

	if (scarcity_due() || !admits(length))
		return true;
	done = overcommit || make_accessible(start, length);
	if (done)
		committed(hooks, start, length);
	limit_settle();
	return !done;
}

static bool
hook_decommit(extent_hooks_t *hooks, void *addr, size_t size,
			  size_t offset, size_t length, unsigned arena_ind)
{
	char	   *start = (char *) addr + offset;

	hugepages_decommitting(start, length);
	if (overcommit ? madvise(start, length, MADV_DONTNEED) != 0 : !make_inaccessible(start, length))
		return true;
	hugepages_decommitted(start, length);
	count(hooks, -(int64) length);
	return false;
}

/* Only called when decommitting failed; the pages stay committed, and are zero. */
static bool
hook_purge_forced(extent_hooks_t *hooks, void *addr, size_t size,
				  size_t offset, size_t length, unsigned arena_ind)
{
	return madvise((char *) addr + offset, length, MADV_DONTNEED) != 0;
}

/* Without permission to split, jemalloc leaks what is left over. */
static bool
hook_split(extent_hooks_t *hooks, void *addr, size_t size,
		   size_t size_a, size_t size_b, bool committed, unsigned arena_ind)
{
	return false;
}

static bool
hook_merge(extent_hooks_t *hooks, void *addr_a, size_t size_a,
		   void *addr_b, size_t size_b, bool committed, unsigned arena_ind)
{
	return false;
}

/*
 * Lazy purging (MADV_FREE) is left out: such pages stay in the process's
 * resident size until the kernel wants them, and nobody could tell.
 */
static const extent_hooks_t our_hooks = {
	.alloc = hook_alloc,
	.dalloc = hook_dalloc,
	.commit = hook_commit,
	.decommit = hook_decommit,
	.purge_forced = hook_purge_forced,
	.split = hook_split,
	.merge = hook_merge,
};

/* In the postmaster, before any arena has our hooks. */
void
hooks_enter(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	counted_page = mallctl_size("arenas.page");
	hugepages_enter();
}

/* Map committed pages again that have lost their mapping; they are empty then. */
bool
hooks_map_again(void *pages, size_t size)
{
	if (mmap(pages, size, ACCESSIBLE, MAP_FLAGS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		return false;
	hugepages_mapped(pages, size);
	return true;
}

/* Hooks of an arena that has some memory already. */
void
hooks_begin(ArenaHooks *hooks, uint64 committed)
{
	hooks->table = our_hooks;
	pg_atomic_init_u64(&hooks->committed, committed);
	hooks->active = NULL;
	for (int i = 0; i < begun_count; i++)
	{
		if (begun[i] == hooks)
			return;				/* it could not be opened the last time */
	}
	Assert(begun_count < MAX_ARENAS);
	begun[begun_count++] = hooks;
}

void
hooks_allow_growth(bool allow)
{
	growth_allowed = allow;
}
