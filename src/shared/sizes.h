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
#define SIZES_CACHE 128			/* most objects in a magazine of any class */
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
	uint32		reciprocal;		/* of size: 2^32 / size, rounded up; 0 if this is no class */
	uint16		size;			/* bytes of an object */
	uint16		end;			/* where the last object of a slab ends */
	uint16		capacity;		/* objects in a slab */
	uint16		cache;			/* most objects in a process's magazine */
	SlabKind	kind;			/* of its slabs */
} SizeClass;

/* No function call's worth of indirection where every nanosecond counts. */
#pragma GCC visibility push(hidden)

/* Set once in the postmaster.  A page's tag can be looked up as it is. */
extern SizeClass size_classes[UINT8_MAX + 1];
extern uint8 size_class_table[SIZES_LARGEST / SIZES_GRAIN + 1];

#pragma GCC visibility pop

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
 * Does an object begin at an offset into a slab?
 *
 * The fraction of the quotient is less than the reciprocal if, and only if,
 * there is no remainder: Lemire, Kaser, Kurz, "Faster remainder by direct
 * computation", 2019.  Exact since offsets and sizes have 14 bits.
 */
static inline bool
size_class_divides(const SizeClass *class, uint32 offset)
{
	return offset * class->reciprocal < class->reciprocal && offset < class->end;
}

/* Which one. */
static inline uint32
size_class_index(const SizeClass *class, uint32 offset)
{
	return ((uint64) offset * class->reciprocal) >> 32;
}

#endif							/* JEMCTX_SIZES_H */
