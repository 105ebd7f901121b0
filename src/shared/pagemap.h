/*-------------------------------------------------------------------------
 *
 * pagemap.h
 *	  What each page of the region is used for.
 *
 * A page has a tag, which is what a free() looks at, and a descriptor.  That
 * of a slab's first page tells which of its objects are in use; the objects
 * themselves have no header, and nothing of ours is written into free ones.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_PAGEMAP_H
#define JEMCTX_PAGEMAP_H

#include "postgres.h"

#include "shared/region.h"

/*
 * Owner (0 for none), size class, whether the slab is draining, and the page's
 * offset into its slab.  Of a draining slab the class is none that is in the table
 * of size classes, so that a free() which looks it up there goes another way.
 */
typedef uint32 PageTag;

#define TAG(owner, class, position) \
	((PageTag) (owner) | (PageTag) (class) << 8 | (PageTag) (position) << (16 + SIZES_PAGE_LG))
#define TAG_OWNER(tag) ((uint8) (tag))
#define TAG_CLASS(tag) (((tag) >> 8) & 0xff)	/* with CLASS_DRAINING */
#define TAG_OFFSET(tag) ((tag) >> 16)
#define TAG_POSITION(tag) (TAG_OFFSET(tag) >> SIZES_PAGE_LG)

/* In the place of a size class. */
#define CLASS_UNUSED 0x7f		/* the owner's, without objects */
#define CLASS_LARGE 0x7e		/* the first page of a large object; its others have no tags */
#define CLASS_LARGE_FREED 0x7d	/* freed, and not yet with the keeper */

/* Beside a size class: objects are not to be used again, but given to the depot. */
#define CLASS_DRAINING 0x80
#define TAG_DRAINING TAG(0, CLASS_DRAINING, 0)

/* Pages are counted in groups, so that who looks for used ones need not look at all. */
#define GROUP_PAGES 512

#define SLAB_WORDS 4			/* a page has 256 objects of 16 bytes */

/*
 * The descriptor of a page.  Who holds the page is who may write: a bin (its
 * lock), the stock (its lock), the keeper.
 */
typedef struct Slab
{
	uint64		used[SLAB_WORDS];	/* objects outside of the slab, and bits past its capacity */
	uint32		next;			/* in whichever list it is */
	uint32		previous;
	uint32		live;			/* bits of objects that are set */
	uint32		pages;			/* of a large object */
	uint8		group;			/* of the bin's, BIN_GROUPS if full */
	char		pad[15];
} Slab;

#pragma GCC visibility push(hidden)

/* Set in the postmaster before it has children. */
extern PageTag *page_tags;
extern Slab *page_slabs;
extern uint16 *page_groups;		/* how many of each GROUP_PAGES are taken; the keeper writes */

#pragma GCC visibility pop

/* Offset of a pointer into the slab that its page, with this tag, belongs to. */
static inline uint32
pagemap_offset(const void *pointer, PageTag tag)
{
	return ((uintptr_t) pointer & (SIZES_PAGE - 1)) + TAG_OFFSET(tag);
}

extern bool pagemap_map(void);
extern void pagemap_set(Size page, Size pages, uint8 owner, uint8 class);

#endif							/* JEMCTX_PAGEMAP_H */
