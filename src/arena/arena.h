/*-------------------------------------------------------------------------
 *
 * arena.h
 *	  The jemalloc arenas of this process.
 *
 * Memory with different lives is kept apart: the process arena serves
 * everything that calls malloc, the transient arena the contexts that are
 * reset or deleted as a whole, the persistent arena those whose chunks come
 * and go one by one for as long as the session lives.
 *
 * Only the main thread of a process allocates from the transient and the
 * persistent arena; nothing here takes locks of its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_ARENA_H
#define JEMCTX_ARENA_H

#include "postgres.h"

#include "arena/hooks.h"
#include "arena/memstate.h"
#include "arena/move.h"
#include "arena/scarcity.h"
#include "compat/compat.h"
#include "jemalloc/jemalloc.h"

typedef struct Arena
{
	ArenaHooks	hooks;
	const char *name;
	const char *lifetime;
	int			index;			/* jemalloc's number, -1 until opened */
	int			flags;			/* for mallocx and its kin, 0 until opened */
} Arena;

/* Automatic arenas of jemalloc's that malloc uses, taken over in the postmaster. */
extern Arena process_arena;
extern Arena huge_arena;

/* Our own; see arena.c for when they are made. */
extern Arena transient_arena;
extern Arena persistent_arena;

/* All of the above, for those who go through them. */
extern Arena *const all_arenas[];
extern const int all_arenas_count;

/* Setting, in ms */
extern int	dirty_decay;

extern void arena_prepare(void);
extern void arena_configure(Arena *arena);
extern bool arena_open(Arena *arena);
extern void *arena_realloc(Arena *arena, void *pointer, Size old_size, Size size);
extern Arena *arena_by_index(unsigned index);
extern void arena_decide_decay(void);
extern void *arena_alloc_again(Size size, int flags);

static inline int
arena_flags(const Arena *arena, Size size)
{
	return size < MOVE_SMALLEST ? arena->flags : arena->flags | MALLOCX_LG_ALIGN(MOVE_PAGE_LG);
}

/* Bytes that the object really has. */
static inline Size
arena_usable_size(const void *pointer)
{
	return je.sallocx(pointer, 0);
}

/*
 * Allocate, resize and free in an arena of our own.  NULL when there is no
 * memory; never an ERROR.
 *
 * MALLOCX_ARENA alone would be wrong: jemalloc first looks into the thread's
 * automatic cache, whichever arena its objects came from.  So the flags say
 * to go past it, when freeing too, and nobody writes them but here.
 */
static inline void *
arena_alloc(Arena *arena, Size size)
{
	void	   *object;

	if (unlikely(arena->flags == 0) && !arena_open(arena))
		return NULL;
	object = scarcity_refuses(size) ? NULL : je.mallocx(size, arena_flags(arena, size));
	if (unlikely(object == NULL))
		object = arena_alloc_again(size, arena_flags(arena, size));
	MEMSTATE_UNDEFINED(object, object ? arena_usable_size(object) : 0);
	return object;
}

static inline void
arena_free(Arena *arena, void *pointer)
{
	MEMSTATE_NOACCESS(pointer, arena_usable_size(pointer));
	je.dallocx(pointer, arena->flags);
}

/* The same in the process arena, through the thread's automatic cache. */
static inline void *
arena_process_alloc(Size size)
{
	void	   *object = scarcity_refuses(size) ? NULL : je.mallocx(size, 0);

	return likely(object != NULL) ? object : arena_alloc_again(size, 0);
}

static inline void
arena_process_free(void *pointer)
{
	je.dallocx(pointer, 0);
}

#endif							/* JEMCTX_ARENA_H */
