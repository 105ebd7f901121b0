/*-------------------------------------------------------------------------
 *
 * figures.h
 *	  What there is to tell about a namespace.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_FIGURES_H
#define JEMCTX_FIGURES_H

#include "shared/control.h"

/* As many as a tag can tell apart. */
#define FIGURES_OWNERS (UINT8_MAX + 1)

typedef struct NamespaceFigures
{
	char		name[NAMEDATALEN];
	TimestampTz created_at;
	uint8		owner;			/* in the tags of its pages */
	uint64		size_limit;
	uint64		allocated;		/* bytes of objects in use */
	uint64		cached;			/* bytes of objects in magazines */
	uint64		free;			/* bytes of committed pages without such objects */
	uint64		committed;		/* bytes that may be resident */
	uint64		active;			/* bytes of pages with objects, or places for them */
	uint64		mapped;			/* bytes of address space: its pages, and no others */
	uint64		objects;		/* in use */
	uint64		refused;
	uint64		fills;
	uint64		flushes;
	bool		has_root;
} NamespaceFigures;

typedef struct BinFigures
{
	uint64		size;
	uint64		curregs;
	uint64		curslabs;
	uint64		nonfull_slabs;
	uint64		capacity;		/* of a slab */
	uint64		slab_bytes;
} BinFigures;

extern void figures_resident(uint64 *resident);
extern bool figures_name(int slot, NamespaceFigures *figures);
extern bool figures_of(int slot, NamespaceFigures *figures);
extern void figures_of_bin(int slot, int class, BinFigures *figures);

#endif							/* JEMCTX_FIGURES_H */
