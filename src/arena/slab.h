/*-------------------------------------------------------------------------
 *
 * slab.h
 *	  Chunks of one size, side by side in pages of their own.
 *
 * Small chunks of the persistent arena are cut from slabs, which are jemalloc
 * objects of one or a few pages.  All contexts share the slabs: whoever asks
 * for a size gets a chunk of any slab of that size class that has room.  A slab
 * that is empty goes back to the arena.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_SLAB_H
#define JEMCTX_SLAB_H

#include "postgres.h"

#include "lib/ilist.h"

#include "arena/arena.h"

/* Sizes and places of chunks are multiples of this. */
#define SLAB_GRAIN 16

/* The largest chunk that lies in a slab: a third of the larger kind. */
#define SLAB_LARGEST 4096

#define SLAB_MAX_CLASSES 64

/*
 * What is known of a slab.  It is kept apart from the slab's pages: at the start
 * of a page it would compete with those of all other slabs for a few sets of
 * the processor's cache.
 */
typedef struct ChunkSlab
{
	dlist_node	node;			/* in the class's list, if listed */
	char	   *chunks;			/* its pages */
	uint32		number;			/* its own */
	uint16		live;			/* chunks that are taken */
	uint16		fresh;			/* chunks that have ever been taken */
	uint16		free;			/* place of the first free chunk, or NO_PLACE */
	uint8		class;
	bool		listed;			/* known to have room, and not the current slab */
} ChunkSlab;

#define NO_PLACE UINT16_MAX

/* So many chunks that were freed last are used again first. */
#define SLAB_HOT 2

typedef struct ChunkClass
{
	void	   *hot[SLAB_HOT];	/* chunks freed last; for their slabs they are taken */
	uint32		hot_slabs[SLAB_HOT];	/* and the numbers of those */
	uint32		nhot;
	ChunkSlab  *current;		/* chunks are taken from here */
	dlist_head	partial;		/* other slabs with room, the latest to have some first */
	uint32		size;			/* bytes of a chunk */
	uint16		capacity;		/* chunks in a slab */
	uint16		kind;			/* of its slabs */
	uint32		slabs;			/* how many there are */
	uint32		live;			/* chunks taken in all of them, the hot ones included */
} ChunkClass;

/* Without the indirection of variables that other modules could have. */
#pragma GCC visibility push(hidden)

extern ChunkClass slab_classes[SLAB_MAX_CLASSES];
extern uint32 slab_nclasses;

/* The class for a size, counted in grains and rounded up. */
extern uint8 slab_class_by_grains[SLAB_LARGEST / SLAB_GRAIN + 1];

/* Slabs by number, in blocks that never move; a number has 24 bits. */
#define SLAB_BLOCK 128
#define SLAB_BITS 24
extern ChunkSlab **slab_blocks;

#pragma GCC visibility pop

extern void slab_enter(void);
extern Size slab_class_bytes(const ChunkClass *class);
extern ChunkSlab *slab_next(uint32 class);
extern void slab_put_back(ChunkSlab *slab, void *chunk);

#ifdef JEMCTX_CHECKING
extern bool slab_is_sound(const ChunkSlab *slab);
#endif

/* A free chunk has the place of the next one in its first word. */
static inline uint16
slab_read_link(const void *chunk)
{
	uint16		place;

	MEMSTATE_DEFINED(chunk, sizeof(place));
	place = *(const uint16 *) chunk;
	MEMSTATE_NOACCESS(chunk, sizeof(place));
	return place;
}

static inline void
slab_write_link(void *chunk, uint16 place)
{
	MEMSTATE_UNDEFINED(chunk, sizeof(place));
	*(uint16 *) chunk = place;
	MEMSTATE_NOACCESS(chunk, sizeof(place));
}

static inline uint32
slab_class(Size size)
{
	Assert(size > 0 && size <= SLAB_LARGEST);
	return slab_class_by_grains[(size + SLAB_GRAIN - 1) / SLAB_GRAIN];
}

static inline ChunkSlab *
slab_by_number(uint32 number)
{
	return &slab_blocks[number / SLAB_BLOCK][number % SLAB_BLOCK];
}

/* Has the slab no room for a chunk more?  There may be none. */
static inline bool
slab_is_full(const ChunkClass *set, const ChunkSlab *slab)
{
	return slab == NULL || (slab->free == NO_PLACE && slab->fresh == set->capacity);
}

/* Take a chunk of the class from a slab that has room. */
static inline void *
slab_take_out(ChunkClass *set, ChunkSlab *slab, uint32 *number)
{
	char	   *chunk;

	*number = slab->number;
	slab->live++;
	set->live++;
	if (slab->free == NO_PLACE)
		return slab->chunks + (Size) set->size * slab->fresh++;
	chunk = slab->chunks + (Size) slab->free * SLAB_GRAIN;
	slab->free = slab_read_link(chunk);
	return chunk;
}

/*
 * See to it that there is a chunk of the class to be taken; false when there is
 * no memory.
 */
static inline bool
slab_prepare(uint32 class)
{
	const ChunkClass *set = &slab_classes[class];

	return set->nhot > 0 || !slab_is_full(set, set->current) || slab_next(class) != NULL;
}

/* Is there one already? */
static inline bool
slab_is_prepared(uint32 class)
{
	const ChunkClass *set = &slab_classes[class];

	return likely(set->nhot > 0) || !slab_is_full(set, set->current);
}

/*
 * Returns a chunk of the class, of which there is one to be taken, and the
 * number of its slab.  What was freed last is still in the processor's cache,
 * and its slab need not be looked at.
 */
static inline void *
slab_take(uint32 class, uint32 *number)
{
	ChunkClass *set = &slab_classes[class];
	void	   *chunk;

	if (likely(set->nhot > 0))
	{
		chunk = set->hot[--set->nhot];
		*number = set->hot_slabs[set->nhot];
	}
	else
		chunk = slab_take_out(set, set->current, number);
	MEMSTATE_UNDEFINED(chunk, set->size);
	return chunk;
}

/* Is so little of the slab taken that it should rather become empty? */
static inline bool
slab_is_sparse(const ChunkSlab *slab, const ChunkClass *set)
{
	return slab->live * 4 < set->capacity * 3;
}

static inline void
slab_give(uint32 class, uint32 number, void *chunk)
{
	ChunkClass *set = &slab_classes[class];
	ChunkSlab  *slab = slab_by_number(number);

	if (set->nhot == SLAB_HOT || (slab != set->current && slab_is_sparse(slab, set)))
	{
		slab_put_back(slab, chunk);
		return;
	}
	set->hot[set->nhot] = chunk;
	set->hot_slabs[set->nhot++] = number;
}

#endif							/* JEMCTX_SLAB_H */
