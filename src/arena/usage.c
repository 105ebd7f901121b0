/*-------------------------------------------------------------------------
 *
 * usage.c
 *	  What jemalloc counts for this process at all times.
 *
 * What a thread allocates and frees: thread.allocatedp and
 * thread.deallocatedp in jemalloc(3).  The main thread of a child process has
 * its counters where the postmaster has them, and goes on from their values.
 *
 * The pages that an arena uses: experimental.arenas.<i>.pactivep.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/arena.h"
#include "arena/usage.h"
#include "jemalloc/mallctl.h"

static const uint64 *allocated;
static const uint64 *deallocated;
static Size page_bytes;

/* In the postmaster, with the arenas that its children inherit open. */
void
usage_enter(void)
{
	mallctl_call("thread.allocatedp", &allocated, sizeof(allocated), NULL, 0);
	mallctl_call("thread.deallocatedp", &deallocated, sizeof(deallocated), NULL, 0);
	page_bytes = mallctl_size("arenas.page");
	usage_active();
}

/* Bytes of the objects in use, as large as jemalloc has made them. */
Size
usage_allocated(void)
{
	return *allocated > *deallocated ? *allocated - *deallocated : 0;
}

/*
 * Find jemalloc's count of an arena's pages, which it shows once the first
 * epoch of the arena has begun.
 */
static void
find_active(Arena *arena)
{
	const char *node = mallctl_arena("experimental.arenas.%u.pactivep", arena->index);
	size_t		len = sizeof(arena->hooks.active);

	mallctl_refresh();
	if (je.mallctl(node, &arena->hooks.active, &len, NULL, 0) != 0)
		arena->hooks.active = NULL;
}

static Size
active_pages(Arena *arena)
{
	if (arena->hooks.active == NULL)
		find_active(arena);
	if (arena->hooks.active != NULL)
		return *arena->hooks.active;
	/* an experimental node may change; the epoch is new */
	return mallctl_size(mallctl_arena("stats.arenas.%u.pactive", arena->index));
}

/* Bytes of the pages that have objects, or places for them. */
Size
usage_active(void)
{
	Size		pages = 0;

	for (int i = 0; i < all_arenas_count; i++)
	{
		if (all_arenas[i]->index >= 0)
			pages += active_pages(all_arenas[i]);
	}
	return pages * page_bytes;
}
