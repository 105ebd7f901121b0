/*-------------------------------------------------------------------------
 *
 * arena.c
 *	  The jemalloc arenas of this process.
 *
 * An arena takes a third of a millisecond and a hundred kB to make, so it is
 * made by the process that first allocates from it.  All processes have
 * catalog caches, and so use the persistent arena: that one is made in the
 * postmaster, and is theirs by fork, unless every arena that exists makes
 * every fork dearer.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/guc.h"

#include "arena/arena.h"
#include "arena/insist.h"
#include "jemalloc/mallctl.h"

#define DEFAULT_DIRTY_DECAY 60000
#define MIN_DIRTY_DECAY (-1)
#define MAX_DIRTY_DECAY INT_MAX

Arena		process_arena = {.name = "process", .lifetime = "process", .index = -1};
Arena		huge_arena = {.name = "huge", .lifetime = "process", .index = -1};
Arena		transient_arena = {.name = "transient", .lifetime = "transient", .index = -1};
Arena		persistent_arena = {.name = "persistent", .lifetime = "persistent", .index = -1};

Arena	   *const all_arenas[] = {&process_arena, &huge_arena, &transient_arena, &persistent_arena};
const int	all_arenas_count = lengthof(all_arenas);

int			dirty_decay;

/*
 * Does this process keep freed pages at all?  One that runs no transactions
 * (the checkpointer, the startup process, the archiver, the process that
 * writes the log) comes by no place where it would purge, and jemalloc's clock
 * stands still while nothing is allocated: it would keep for good what it
 * needed once.
 */
static bool keeps_pages = false;

/* Does this process decide by itself what it keeps? */
static bool decay_is_ours = false;

/*
 * Tell jemalloc how long the arena keeps freed pages.  Failure is harmless,
 * and an assign hook must not raise errors.
 */
static void
set_decay(const Arena *arena, int milliseconds)
{
	ssize_t		dirty_ms = !keeps_pages ? 0 : decay_is_ours && milliseconds > 0 ? -1 : milliseconds;
	ssize_t		muzzy_ms = 0;

	je.mallctl(mallctl_arena("arena.%u.dirty_decay_ms", arena->index), NULL, NULL, &dirty_ms,
			   sizeof(dirty_ms));
	je.mallctl(mallctl_arena("arena.%u.muzzy_decay_ms", arena->index), NULL, NULL, &muzzy_ms,
			   sizeof(muzzy_ms));
}

/* A large extent that is freed must be kept like any other: see docs/measurements.md. */
void
arena_configure(Arena *arena)
{
	size_t		threshold = SIZE_MAX;

	je.mallctl(mallctl_arena("arena.%u.oversize_threshold", arena->index),
			   NULL, NULL, &threshold, sizeof(threshold));
	set_decay(arena, dirty_decay);
}

static void
assign_dirty_decay(int newval, void *extra)
{
	for (int i = 0; i < all_arenas_count; i++)
	{
		if (all_arenas[i]->index >= 0)
			set_decay(all_arenas[i], newval);
	}
}

/* A transaction ends: this process will purge at such ends, or when its client is silent. */
static void
notice_transaction(XactEvent event, void *arg)
{
	if (likely(keeps_pages))
		return;
	keeps_pages = true;
	assign_dirty_decay(dirty_decay, NULL);
}

/* From now on nothing decays; whoever calls this purges what is not needed. */
void
arena_decide_decay(void)
{
	if (decay_is_ours)
		return;
	decay_is_ours = true;
	assign_dirty_decay(dirty_decay, NULL);
}

/*
 * Open an arena of our own.  Returns false when there is no memory for it;
 * no ERROR, since the caller may be in a critical section.
 */
bool
arena_open(Arena *arena)
{
	int			index;

	hooks_begin(&arena->hooks, 0);
	index = mallctl_create_arena(&arena->hooks.table);
	if (index < 0)
		return false;
	arena->index = index;
	arena_configure(arena);
	arena->flags = MALLOCX_ARENA(index) | MALLOCX_TCACHE_NONE;
	return true;
}

static void *
make_object(const Attempt *attempt)
{
	return je.mallocx(attempt->size, attempt->flags);
}

/* Out of line, so that an allocation that succeeds stays short. */
void *pg_noinline
arena_alloc_again(Size size, int flags)
{
	return insist_on(&(Attempt) {.make = make_object, .size = size, .flags = flags});
}

#ifndef MEMSTATE_WATCHED
static void *
resize_object(const Attempt *attempt)
{
	return je.rallocx(attempt->pointer, attempt->size, attempt->flags);
}

static void *pg_noinline
resize_again(void *pointer, Size size, int flags)
{
	return insist_on(&(Attempt) {.make = resize_object, .pointer = pointer, .size = size,
								 .flags = flags});
}
#endif

/*
 * Have jemalloc change the size of an object.  Tools that watch memory do not
 * follow it, so for them every resize is a move of our own.
 */
static void *
resize(Arena *arena, void *pointer, Size old_size, Size size)
{
#ifdef MEMSTATE_WATCHED
	void	   *moved = arena_alloc(arena, size);

	if (moved == NULL)
		return NULL;
	memcpy(moved, pointer, Min(old_size, size));
	arena_free(arena, pointer);
	return moved;
#else
	int			flags = arena_flags(arena, size);
	void	   *moved = je.rallocx(pointer, size, flags);

	return likely(moved != NULL) ? moved : resize_again(pointer, size, flags);
#endif
}

/*
 * Change the size of an object that has old_size bytes.  Returns NULL when
 * there is no memory; then the object is as it was.
 */
void *
arena_realloc(Arena *arena, void *pointer, Size old_size, Size size)
{
	void	   *moved;

	if (old_size < MOVE_SMALLEST || size < old_size)
		return resize(arena, pointer, old_size, size);
	if (je.xallocx(pointer, size, 0, arena_flags(arena, size)) >= size)
	{
		MEMSTATE_UNDEFINED((char *) pointer + old_size, arena_usable_size(pointer) - old_size);
		return pointer;
	}
	moved = arena_alloc(arena, size);
	if (moved == NULL)
		return NULL;
	if (!move_contents(moved, pointer, old_size))
		return NULL;			/* what is no longer mapped cannot be freed */
	arena_free(arena, pointer);
	return moved;
}

/* The arena of ours with jemalloc's number index, or NULL. */
Arena *
arena_by_index(unsigned index)
{
	for (int i = 0; i < all_arenas_count; i++)
	{
		if (all_arenas[i]->index >= 0 && (unsigned) all_arenas[i]->index == index)
			return all_arenas[i];
	}
	return NULL;
}

/* In the postmaster, before there are any arenas. */
void
arena_prepare(void)
{
	DefineCustomIntVariable("jemctx.dirty_decay",
							"Sets how long freed memory stays with a busy backend.",
							"-1 keeps it until it is purged, 0 returns it to the system at once.",
							&dirty_decay, DEFAULT_DIRTY_DECAY, MIN_DIRTY_DECAY, MAX_DIRTY_DECAY,
							PGC_SUSET, GUC_UNIT_MS, NULL, assign_dirty_decay, NULL);
	RegisterXactCallback(notice_transaction, NULL);
}
