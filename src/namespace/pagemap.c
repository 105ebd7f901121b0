/*-------------------------------------------------------------------------
 *
 * pagemap.c
 *	  What each page of the region is used for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "namespace/pagemap.h"
#include "namespace/region.h"

PageTag    *page_tags;
Slab	   *page_slabs;

/* In the postmaster, once the region is mapped. */
bool
pagemap_map(void)
{
	page_tags = region_map(region_pages * sizeof(PageTag));
	page_slabs = region_map(region_pages * sizeof(Slab));
	return page_tags != NULL && page_slabs != NULL;
}

/* After a crash: nothing of it is true any more. */
void
pagemap_wipe(void)
{
	region_wipe(page_tags, region_pages * sizeof(PageTag));
	region_wipe(page_slabs, region_pages * sizeof(Slab));
}

/* Tag pages that belong together; a large object's rest differs from its head. */
void
pagemap_set(Size page, uint32 pages, uint8 owner, uint8 class)
{
	for (uint32 i = 0; i < pages; i++)
	{
		uint8		what = class == CLASS_LARGE && i > 0 ? CLASS_LARGE_REST : class;

		page_tags[page + i] = TAG(owner, what, class < SIZES_COUNT ? i : 0);
	}
}
