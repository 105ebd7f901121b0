/*-------------------------------------------------------------------------
 *
 * extents.c
 *	  The keeper's arenas: one for each namespace, with memory of the region.
 *
 * The hooks hand out address space uncommitted, so that jemalloc calls the
 * commit hook for all that it really uses: that is where limits are.  When
 * jemalloc purges, it offers the pages to the dalloc hook, which takes them;
 * the region gives them to whichever namespace wants them next.
 *
 * Shared pages are emptied by MADV_REMOVE; MADV_DONTNEED would keep what is in
 * them, and jemalloc, told that it had worked, would hand it out as zeros.
 *
 * jemalloc holds mutexes of the arena while a hook runs: nothing in here may
 * raise errors, allocate, or take locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/arena.h"
#include "jemalloc/mallctl.h"
#include "namespace/extents.h"
#include "namespace/faults.h"
#include "namespace/pagemap.h"
#include "namespace/region.h"

/* Address space that jemalloc takes at a time. */
#define GROWTH ((size_t) 2 * 1024 * 1024)

/* From this size on jemalloc's objects have pages of their own: four pages and up. */
#define SMALLEST_LARGE (4 * SIZES_PAGE)

typedef struct ExtentArena
{
	extent_hooks_t hooks;		/* must be first: jemalloc hands it to the hooks */
	Namespace  *space;
	int			flags;			/* for mallocx and its kin, 0 until made */
} ExtentArena;

/* One for each slot, kept for the next namespace there: arenas are not destroyed. */
static ExtentArena arenas[NAMESPACE_SLOTS];

static ExtentArena *
arena_of(Namespace *space)
{
	return &arenas[space->slot];
}

static void
count_committed(Namespace *space, Size bytes)
{
	pg_atomic_fetch_add_u64(&space->committed, bytes);
	pg_atomic_fetch_add_u64(&control->committed, bytes);
}

/* May the namespace have so many bytes more? */
static bool
may_commit(Namespace *space, Size bytes)
{
	return pg_atomic_read_u64(&space->committed) + bytes <= namespace_limit(space) &&
		region_may_commit(bytes);
}

static void *
hook_alloc(extent_hooks_t *hooks, void *new_addr, size_t size, size_t alignment,
		   bool *zero, bool *commit, unsigned arena_ind)
{
	Namespace  *space = ((ExtentArena *) hooks)->space;
	Size		pages = size / SIZES_PAGE;
	bool		clean;
	Size		page;

	if (fault_is_due(ALLOC) || new_addr != NULL || (*commit && !may_commit(space, size)))
		return NULL;
	page = region_reserve(pages, Max(1, alignment / SIZES_PAGE), &clean);
	if (page == NO_PAGE)
		return NULL;
	pagemap_set(page, pages, namespace_owner(space, pg_atomic_read_u64(&space->life)), CLASS_UNUSED);
	pg_atomic_fetch_add_u64(&space->mapped, size);
	if (*commit)
		count_committed(space, size);
	*zero = clean;
	return pagemap_address(page);
}

/* The memory is not counted as the namespace's any more; as the region's, until it is removed. */
static bool
hook_dalloc(extent_hooks_t *hooks, void *addr, size_t size, bool committed, unsigned arena_ind)
{
	Namespace  *space = ((ExtentArena *) hooks)->space;
	Size		page = pagemap_page(addr);

	if (fault_is_due(DALLOC))
		return true;
	pagemap_set(page, size / SIZES_PAGE, 0, CLASS_UNUSED);
	region_release(page, size / SIZES_PAGE, committed);
	pg_atomic_fetch_sub_u64(&space->mapped, size);
	if (committed)
		pg_atomic_fetch_sub_u64(&space->committed, size);
	return false;
}

static bool
hook_commit(extent_hooks_t *hooks, void *addr, size_t size, size_t offset, size_t length,
			unsigned arena_ind)
{
	Namespace  *space = ((ExtentArena *) hooks)->space;

	if (fault_is_due(COMMIT) || !may_commit(space, length))
		return true;
	count_committed(space, length);
	return false;
}

/* Only called when the dalloc hook has failed. */
static bool
hook_decommit(extent_hooks_t *hooks, void *addr, size_t size, size_t offset, size_t length,
			  unsigned arena_ind)
{
	if (fault_is_due(DECOMMIT) ||
		!region_remove(pagemap_page((char *) addr + offset), length / SIZES_PAGE))
		return true;
	pg_atomic_fetch_sub_u64(&((ExtentArena *) hooks)->space->committed, length);
	return false;
}

/* Only called when decommitting has failed, too; the pages stay committed, and are zero. */
static bool
hook_purge_forced(extent_hooks_t *hooks, void *addr, size_t size, size_t offset, size_t length,
				  unsigned arena_ind)
{
	if (fault_is_due(PURGE) ||
		!region_remove(pagemap_page((char *) addr + offset), length / SIZES_PAGE))
		return true;
	pg_atomic_fetch_add_u64(&control->committed, length);
	return false;
}

static bool
hook_split(extent_hooks_t *hooks, void *addr, size_t size, size_t size_a, size_t size_b,
		   bool committed, unsigned arena_ind)
{
	return fault_is_due(SPLIT);
}

static bool
hook_merge(extent_hooks_t *hooks, void *addr_a, size_t size_a, void *addr_b, size_t size_b,
		   bool committed, unsigned arena_ind)
{
	return fault_is_due(MERGE);
}

static const extent_hooks_t region_hooks = {
	.alloc = hook_alloc,
	.dalloc = hook_dalloc,
	.commit = hook_commit,
	.decommit = hook_decommit,
	.purge_forced = hook_purge_forced,
	.split = hook_split,
	.merge = hook_merge,
};

/* jemalloc's own clock stands still: the keeper purges. */
static void
configure(int index)
{
	ssize_t		never = -1;
	size_t		growth = GROWTH;
	size_t		threshold = SIZE_MAX;

	je.mallctl(mallctl_arena("arena.%u.dirty_decay_ms", index), NULL, NULL, &never, sizeof(never));
	never = 0;
	je.mallctl(mallctl_arena("arena.%u.muzzy_decay_ms", index), NULL, NULL, &never, sizeof(never));
	je.mallctl(mallctl_arena("arena.%u.retain_grow_limit", index), NULL, NULL, &growth, sizeof(growth));
	je.mallctl(mallctl_arena("arena.%u.oversize_threshold", index), NULL, NULL, &threshold, sizeof(threshold));
}

static bool
make_arena(Namespace *space)
{
	ExtentArena *arena = arena_of(space);
	int			index;

	arena->hooks = region_hooks;
	arena->space = space;
	index = mallctl_create_arena(&arena->hooks);
	if (index < 0)
		return false;
	configure(index);
	arena->flags = MALLOCX_ARENA(index) | MALLOCX_TCACHE_NONE;
	space->arena = index;
	return true;
}

/* Does jemalloc add a page to a large object, to place it anywhere in the first? */
static bool
pads_large(void)
{
	static int	pads = -1;
	bool		value = false;
	size_t		length = sizeof(value);

	if (pads < 0 && je.mallctl("opt.cache_oblivious", &value, &length, NULL, 0) != 0)
		je.mallctl("config.cache_oblivious", &value, &length, NULL, 0);
	if (pads < 0)
		pads = value;
	return pads;
}

/* As many pages as jemalloc would give for so many. */
uint32
extents_round(uint32 pages)
{
	return je.nallocx(pages * SIZES_PAGE, MALLOCX_LG_ALIGN(SIZES_PAGE_LG)) / SIZES_PAGE;
}

/* Count an object of so many bytes in, or with sign -1 out. */
static void
count_held(Namespace *space, Size bytes, int sign)
{
	Size		padding = bytes >= SMALLEST_LARGE && pads_large() ? SIZES_PAGE : 0;

	pg_atomic_fetch_add_u64(&space->held, sign * (int64) (bytes + padding));
	pg_atomic_fetch_add_u64(&space->padding, sign * (int64) padding);
}

/* Pages for a slab or a large object, as many as extents_round() says, or NO_PAGE. */
uint32
extents_alloc(Namespace *space, uint32 pages, bool zero)
{
	ExtentArena *arena = arena_of(space);
	int			flags = MALLOCX_LG_ALIGN(SIZES_PAGE_LG) | (zero ? MALLOCX_ZERO : 0);
	void	   *start;

	if (arena->flags == 0 && !make_arena(space))
		return NO_PAGE;
	start = je.mallocx(pages * SIZES_PAGE, arena->flags | flags);
	if (start == NULL)
		return NO_PAGE;
	count_held(space, pages * SIZES_PAGE, 1);
	return pagemap_page(start);
}

void
extents_free(Namespace *space, uint32 page, uint32 pages)
{
	count_held(space, pages * SIZES_PAGE, -1);
	pagemap_set(page, pages, namespace_owner(space, pg_atomic_read_u64(&space->life)), CLASS_UNUSED);
	je.dallocx(pagemap_address(page), arena_of(space)->flags);
}

/* Free all at once. */
void
extents_reset(Namespace *space)
{
	ExtentArena *arena = arena_of(space);

	if (arena->flags == 0)
		return;
	mallctl_act(mallctl_arena("arena.%u.reset", space->arena));
	pg_atomic_write_u64(&space->held, 0);
	pg_atomic_write_u64(&space->padding, 0);
	extents_purge(space);
}

/* Return free pages to the system. */
void
extents_purge(Namespace *space)
{
	if (arena_of(space)->flags == 0)
		return;
	mallctl_act(mallctl_arena("arena.%u.purge", space->arena));
	region_trim();
}

/* Bytes of committed pages in which there is nothing. */
Size
extents_dirty(Namespace *space)
{
	return pg_atomic_read_u64(&space->committed) - pg_atomic_read_u64(&space->held);
}
