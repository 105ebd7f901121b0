/*-------------------------------------------------------------------------
 *
 * adopt.c
 *	  Take over the arenas that malloc uses.
 *
 * jemalloc makes its automatic arena 0 before any code of ours runs.  We
 * install our extent hooks in it, once, in the postmaster; every process of
 * the server inherits arena and hooks by fork, whatever its kind, and pays
 * for no other arena.  docs/measurements.md has what a second one would cost.
 *
 * The arena has extents by then that jemalloc's own hooks mapped.  They are
 * as good as ours, but those that jemalloc retains for reuse count as
 * committed, and reusing them would not tell us.  So they are all brought
 * into use once, without touching them, and purged through our hooks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/adopt.h"
#include "arena/arena.h"
#include "arena/hooks.h"
#include "jemalloc/mallctl.h"
#include "jemalloc/overcommit.h"
#include "server/account.h"

#define MAX_PIECES 512

static size_t
arena_pages(const char *format, unsigned index)
{
	return mallctl_size(mallctl_arena(format, index)) * mallctl_size("arenas.page");
}

/* Bytes of the arena that jemalloc holds to be committed. */
static size_t
committed_before(unsigned index)
{
	size_t		bytes;

	mallctl_refresh();
	bytes = arena_pages("stats.arenas.%u.pactive", index) +
		arena_pages("stats.arenas.%u.pdirty", index) +
		arena_pages("stats.arenas.%u.pmuzzy", index);
	if (overcommit)
		bytes += mallctl_size(mallctl_arena("stats.arenas.%u.retained", index));
	return bytes;
}

/*
 * The largest size whose slabs are pages, less than any large size; or 0 where
 * the user's slab_sizes have left none.
 */
static size_t
page_slab_size(void)
{
	size_t		page = mallctl_size("arenas.page");

	for (unsigned bin = mallctl_unsigned("arenas.nbins"); bin-- > 0;)
	{
		if (mallctl_size(mallctl_arena("arenas.bin.%u.slab_size", bin)) == page)
			return mallctl_size(mallctl_arena("arenas.bin.%u.size", bin));
	}
	return 0;
}

/* Use up what the arena retains, largest pieces first, and purge it. */
static void
recommit_retained(unsigned index)
{
	int			flags = MALLOCX_ARENA(index) | MALLOCX_TCACHE_NONE;
	void	   *pieces[MAX_PIECES];
	int			count = 0;
	size_t		smallest_large = mallctl_size("arenas.lextent.0.size");
	size_t		size = mallctl_size(mallctl_arena("stats.arenas.%u.retained", index));

	hooks_allow_growth(false);
	while (size > 0 && count < MAX_PIECES)
	{
		void	   *piece = je.mallocx(size, flags);

		if (piece != NULL)
			pieces[count++] = piece;
		else if (size > smallest_large)
			size = Max(size - size / 4, smallest_large);
		else
			size = size == smallest_large ? page_slab_size() : 0;
	}
	while (count > 0)
		je.dallocx(pieces[--count], flags);
	hooks_allow_growth(true);
	mallctl_act(mallctl_arena("arena.%u.purge", index));
}

static void
adopt(Arena *arena, unsigned index)
{
	size_t		committed = committed_before(index);

	arena->index = index;
	hooks_begin(&arena->hooks, committed);
	account_change(committed);
	mallctl_set_pointer(mallctl_arena("arena.%u.extent_hooks", index), &arena->hooks.table);
	arena_configure(arena);
	recommit_retained(index);
}

/*
 * Where the user's MALLOC_CONF says so, or jemalloc did not get ours, it sends
 * large allocations to an arena of its own, which it makes at the first of
 * them.
 */
static void
adopt_huge_arena(void)
{
	size_t		threshold = mallctl_size("opt.oversize_threshold");
	void	   *object;
	unsigned	index;

	if (threshold == 0 || (object = je.mallocx(threshold, MALLOCX_TCACHE_NONE)) == NULL)
		return;
	index = mallctl_lookup(object);
	if (index != (unsigned) process_arena.index)
		adopt(&huge_arena, index);
	je.dallocx(object, MALLOCX_TCACHE_NONE);
}

void
adopt_process_arenas(void)
{
	adopt(&process_arena, 0);
	adopt_huge_arena();
}
