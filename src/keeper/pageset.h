/*-------------------------------------------------------------------------
 *
 * pageset.h
 *	  A set of pages that finds members, and gaps between them.
 *
 * One process's own.  It takes memory only near its members, and finding one
 * takes no longer in a large region than in a small one, but for the depth of
 * a tree.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_PAGESET_H
#define JEMCTX_PAGESET_H

#include "postgres.h"

/* Pages without members, in the part of the region that a node of the tree is for. */
typedef struct Gaps
{
	/* what they lack of the whole part, so that zeros are a part without members */
	uint32		first;			/* the gap that it begins with */
	uint32		longest;
	uint32		last;			/* the gap that it ends with */
} Gaps;

typedef struct PageSet
{
	uint64	   *words;			/* a bit for each page */
	Gaps	   *nodes;			/* a binary tree: 1 is the root, the last half leaves */
	uint32		leaves;			/* 0 until it is mapped */
} PageSet;

extern bool pageset_map(PageSet *set, Size pages);
extern void pageset_end(PageSet *set, Size pages);
extern void pageset_add(PageSet *set, Size page, Size pages);
extern void pageset_remove(PageSet *set, Size page, Size pages);
extern void pageset_move(PageSet *from, PageSet *to);

/* These return page 0 if there is none. */
extern Size pageset_next(const PageSet *set, Size page);
extern Size pageset_lowest_gap(const PageSet *set, Size pages);
extern Size pageset_highest_gap(const PageSet *set, Size pages);

extern Size pageset_count(const PageSet *set, Size page, Size pages);
extern Size pageset_run(const PageSet *set, Size page, Size most);
extern Size pageset_room(const PageSet *set, Size page, Size most);

#endif							/* JEMCTX_PAGESET_H */
