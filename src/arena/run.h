/*-------------------------------------------------------------------------
 *
 * run.h
 *	  Chunks of one size, side by side in a run of pages.
 *
 * Small chunks of the persistent arena are cut from runs, which are jemalloc
 * objects of one or a few pages.  All contexts share the runs: whoever asks
 * for a size gets a chunk of any run of that size class that has room.  A run
 * that is empty goes back to the arena.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_RUN_H
#define JEMCTX_RUN_H

#include "postgres.h"

#include "lib/ilist.h"

#include "arena/arena.h"

/* Sizes and places of chunks are multiples of this. */
#define RUN_GRAIN 16

/* The largest chunk that lies in a run: a third of the larger kind. */
#define RUN_LARGEST 4096

#define RUN_MAX_CLASSES 64

/*
 * What is known of a run.  It is kept apart from the run's pages: at the start
 * of a page it would compete with those of all other runs for a few sets of
 * the processor's cache.
 */
typedef struct Run
{
	dlist_node	node;			/* in the class's list, if listed */
	char	   *chunks;			/* its pages */
	uint32		number;			/* its own */
	uint16		live;			/* chunks that are taken */
	uint16		fresh;			/* chunks that have ever been taken */
	uint16		free;			/* place of the first free chunk, or NO_PLACE */
	uint8		class;
	bool		listed;			/* known to have room, and not the current run */
} Run;

#define NO_PLACE UINT16_MAX

/* So many chunks that were freed last are used again first. */
#define RUN_HOT 2

typedef struct RunClass
{
	void	   *hot[RUN_HOT];	/* chunks freed last; for their runs they are taken */
	uint32		hot_runs[RUN_HOT];	/* and the numbers of those */
	uint32		nhot;
	Run		   *current;		/* chunks are taken from here */
	dlist_head	partial;		/* other runs with room, the latest to have some first */
	uint32		size;			/* bytes of a chunk */
	uint16		capacity;		/* chunks in a run */
	uint16		kind;			/* of its runs */
	uint32		runs;			/* how many there are */
	uint32		live;			/* chunks taken in all of them, the hot ones included */
} RunClass;

/* Without the indirection of variables that other modules could have. */
#pragma GCC visibility push(hidden)

extern RunClass run_classes[RUN_MAX_CLASSES];
extern uint32 run_nclasses;

/* The class for a size, counted in grains and rounded up. */
extern uint8 run_class_by_grains[RUN_LARGEST / RUN_GRAIN + 1];

/* Runs by number, in blocks that never move; a number has 24 bits. */
#define RUN_BLOCK 128
#define RUN_BITS 24
extern Run **run_blocks;

#pragma GCC visibility pop

extern void run_enter(void);
extern Size run_bytes(const RunClass *class);
extern Run *run_next(uint32 class);
extern void run_became_partial(Run *run);
extern void run_became_empty(Run *run);

#ifdef JEMCTX_CHECKING
extern bool run_is_sound(const Run *run);
#endif

/* A free chunk has the place of the next one in its first word. */
static inline uint16
run_read_link(const void *chunk)
{
	uint16		place;

	MEMSTATE_DEFINED(chunk, sizeof(place));
	place = *(const uint16 *) chunk;
	MEMSTATE_NOACCESS(chunk, sizeof(place));
	return place;
}

static inline void
run_write_link(void *chunk, uint16 place)
{
	MEMSTATE_UNDEFINED(chunk, sizeof(place));
	*(uint16 *) chunk = place;
	MEMSTATE_NOACCESS(chunk, sizeof(place));
}

static inline uint32
run_class(Size size)
{
	Assert(size > 0 && size <= RUN_LARGEST);
	return run_class_by_grains[(size + RUN_GRAIN - 1) / RUN_GRAIN];
}

static inline Run *
run_by_number(uint32 number)
{
	return &run_blocks[number / RUN_BLOCK][number % RUN_BLOCK];
}

/* Take a chunk of the class from a run; NULL when there is no memory. */
static inline void *
run_take_out(RunClass *set, uint32 class, uint32 *number)
{
	Run		   *run = set->current;
	char	   *chunk;

	if (unlikely(run == NULL || (run->free == NO_PLACE && run->fresh == set->capacity)) &&
		(run = run_next(class)) == NULL)
		return NULL;
	*number = run->number;
	run->live++;
	set->live++;
	if (run->free == NO_PLACE)
		return run->chunks + (Size) set->size * run->fresh++;
	chunk = run->chunks + (Size) run->free * RUN_GRAIN;
	run->free = run_read_link(chunk);
	return chunk;
}

static inline void
run_put_back(Run *run, void *chunk)
{
	RunClass   *set = &run_classes[run->class];

	run_write_link(chunk, run->free);
	run->free = ((char *) chunk - run->chunks) / RUN_GRAIN;
	run->live--;
	set->live--;
	if (run == set->current)
		return;
	if (unlikely(run->live == 0))
		run_became_empty(run);
	else if (unlikely(!run->listed))
		run_became_partial(run);
}

/*
 * Returns a chunk of the class and the number of its run, or NULL when there
 * is no memory.  What was freed last is still in the processor's cache, and
 * its run need not be looked at.
 */
static inline void *
run_take(uint32 class, uint32 *number)
{
	RunClass   *set = &run_classes[class];
	void	   *chunk;

	if (likely(set->nhot > 0))
	{
		chunk = set->hot[--set->nhot];
		*number = set->hot_runs[set->nhot];
	}
	else
		chunk = run_take_out(set, class, number);
	MEMSTATE_UNDEFINED(chunk, chunk ? set->size : 0);
	return chunk;
}

/* Is so little of the run taken that it should rather become empty? */
static inline bool
run_is_sparse(const Run *run, const RunClass *set)
{
	return run->live * 4 < set->capacity * 3;
}

static inline void
run_give(uint32 class, uint32 number, void *chunk)
{
	RunClass   *set = &run_classes[class];
	Run		   *run = run_by_number(number);

	if (set->nhot == RUN_HOT || (run != set->current && run_is_sparse(run, set)))
	{
		run_put_back(run, chunk);
		return;
	}
	set->hot[set->nhot] = chunk;
	set->hot_runs[set->nhot++] = number;
}

#endif							/* JEMCTX_RUN_H */
