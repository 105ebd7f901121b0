/*-------------------------------------------------------------------------
 *
 * sizes.h
 *	  Size classes of small objects, and the slabs they are cut from.
 *
 * A slab is a run of one or of three pages with objects of one size.  The
 * sizes are those that fill such runs with little left over, close enough to
 * each other that rounding up costs about 5 per cent on average.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_SIZES_H
#define JEMCTX_SIZES_H

#include "postgres.h"

#define SIZES_GRAIN 16			/* sizes and addresses are multiples of it */
#define SIZES_LARGEST 12288		/* larger objects have pages for themselves */
#define SIZES_COUNT 46
#define SIZES_PAGE_LG 12
#define SIZES_PAGE ((Size) 1 << SIZES_PAGE_LG)

typedef enum SlabKind
{
	SLAB_ONE_PAGE,
	SLAB_THREE_PAGES,
	SLAB_KINDS
} SlabKind;

typedef struct SizeClass
{
	uint32		size;			/* bytes of an object */
	uint32		reciprocal;		/* of size, to divide offsets: 2^32 / size, rounded up */
	uint16		capacity;		/* objects in a slab */
	uint16		cache;			/* most objects in a process's magazine */
	SlabKind	kind;			/* of its slabs */
} SizeClass;

/* Set once in the postmaster. */
extern SizeClass size_classes[SIZES_COUNT];
extern uint8 size_class_table[SIZES_LARGEST / SIZES_GRAIN + 1];

extern void sizes_enter(void);

/* The class of a size up to SIZES_LARGEST. */
static inline uint32
size_class(Size size)
{
	return size_class_table[(size + SIZES_GRAIN - 1) / SIZES_GRAIN];
}

static inline uint32
slab_pages(SlabKind kind)
{
	return kind == SLAB_ONE_PAGE ? 1 : 3;
}

static inline Size
slab_bytes(SlabKind kind)
{
	return slab_pages(kind) * SIZES_PAGE;
}

/*
 * Which object of a slab begins at offset; returns false if none does.  Exact
 * for any offset into a slab, as its pages are few.
 */
static inline bool
size_class_index(const SizeClass *class, uint32 offset, uint32 *index)
{
	*index = (uint32) (((uint64) offset * class->reciprocal) >> 32);
	return *index * class->size == offset && *index < class->capacity;
}

#endif							/* JEMCTX_SIZES_H */
