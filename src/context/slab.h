/*-------------------------------------------------------------------------
 *
 * slab.h
 *	  Chunks of one size, side by side in pages of their own.
 *
 * Small chunks of persistent contexts are cut from slabs, which are jemalloc
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

#include "compat/methods.h"
#include "context/checking.h"
#include "context/freelist.h"

/* Sizes and places of chunks are multiples of this. */
#define SLAB_GRAIN 16

/* The largest chunk that lies in a slab: a third of the larger kind. */
#define SLAB_LARGEST 4096

#define SLAB_MAX_CLASSES 64

/* What is before the data of a chunk.  A free one is linked by its data's first word. */
typedef struct PersistentChunk
{
	CHECKING_FIELDS
	uint32		home;			/* its slab and class, also while it is free */
	uint32		slot;			/* the context's to use, or FREE_SLOT */
	ChunkOwner	owner;			/* must be last: PostgreSQL looks right before the data */
} PersistentChunk;

#define FREE_SLOT UINT32_MAX

/* Both in one word: bit-fields would be written one by one, and read slowly soon after. */
#define SLAB_BITS 24
#define HOME(class, slab) ((uint32) (slab) << (32 - SLAB_BITS) | (uint32) (class))
#define HOME_CLASS(home) ((uint8) (home))
#define HOME_SLAB(home) ((home) >> (32 - SLAB_BITS))

/*
 * What is known of a slab.  It is kept apart from the slab's pages: at the start
 * of a page it would compete with those of all other slabs for a few sets of
 * the processor's cache.
 */
typedef struct ChunkSlab
{
	dlist_node	node;			/* in the class's list, if it has free chunks and is not current */
	char	   *chunks;			/* its pages */
	void	   *free;			/* data of the first free chunk */
	uint32		home;			/* of its chunks */
	uint16		live;			/* chunks that are not free, those not yet cut among them */
	uint16		cut;			/* chunks that have ever been there to be taken */
} ChunkSlab;

/* Not larger than a line of the processor's cache, nor across two. */
typedef struct pg_attribute_aligned(64) ChunkClass
{
	void	   *hot;			/* data of a chunk freed a moment ago, to be taken first, or NULL */
	void	   *free;			/* that of the current slab's chunks to be taken next, linked */
	uint32		size;			/* bytes of a chunk */
	uint16		capacity;		/* chunks in a slab */
	uint16		sparse;			/* a slab with less of them live should rather become empty */
	uint16		kind;			/* of its slabs */
	uint32		slabs;			/* how many there are */
	ChunkSlab  *current;
	dlist_head	partial;		/* other slabs with free chunks, the latest to have some first */
} ChunkClass;

/* Slabs by number, in blocks that never move. */
#define SLAB_BLOCK 128
#define SLAB_MAX_BLOCKS ((1 << SLAB_BITS) / SLAB_BLOCK)

/* Without the indirection of variables that other modules could have. */
#pragma GCC visibility push(hidden)

extern ChunkClass slab_classes[SLAB_MAX_CLASSES];
extern uint32 slab_nclasses;

/* The class for a size, counted in grains and rounded up. */
extern ChunkClass *slab_class_by_grains[SLAB_LARGEST / SLAB_GRAIN + 1];

extern ChunkSlab *slab_blocks[SLAB_MAX_BLOCKS];

#pragma GCC visibility pop

extern void slab_enter(void);
extern Size slab_class_bytes(const ChunkClass *class);
extern uint32 slab_class_chunks(const ChunkClass *class);
extern Size slab_kept(void);
extern bool slab_refill(ChunkClass *class);
extern void slab_has_turned(ChunkSlab *slab);

#ifdef JEMCTX_CHECKING
extern bool slab_has_free(const ChunkSlab *slab, const void *pointer);
extern bool slab_is_sound(const ChunkSlab *slab);
#endif

static inline PersistentChunk *
pointer_chunk(const void *pointer)
{
	return (PersistentChunk *) ((char *) pointer - sizeof(PersistentChunk));
}

static inline void *
chunk_pointer(PersistentChunk *chunk)
{
	return (char *) chunk + sizeof(PersistentChunk);
}

/* The class for a chunk of that size, with what is before the data. */
static inline ChunkClass *
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

/* Take a chunk of the class.  Returns its data, or NULL if none is at hand. */
static inline void *
slab_take(ChunkClass *class)
{
	void	   *pointer = class->hot;

	if (pointer != NULL)
		class->hot = NULL;
	else
	{
		pointer = class->free;
		if (unlikely(pointer == NULL))
			return NULL;
		class->free = next_free(pointer);
	}
	return pointer;
}

/* It is not wanted, after all. */
static inline void
slab_untake(ChunkClass *class, void *pointer)
{
	class->hot = pointer;
}

/* Put a chunk that is marked as free back into its slab. */
static inline void
slab_put_back(ChunkSlab *slab, void *pointer)
{
	void	   *next = slab->free;
	bool		is_empty = --slab->live == 0;

	set_next_free(pointer, next);
	slab->free = pointer;
	if (unlikely(is_empty || next == NULL))
		slab_has_turned(slab);
}

/*
 * The same, or have the chunk be taken next: what was freed last is still in
 * the processor's cache.
 */
static inline void
slab_give(ChunkClass *class, ChunkSlab *slab, void *pointer)
{
	if (class->hot == NULL && slab->live >= class->sparse)
		class->hot = pointer;
	else
		slab_put_back(slab, pointer);
}

#endif							/* JEMCTX_SLAB_H */
