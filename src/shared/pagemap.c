/*-------------------------------------------------------------------------
 *
 * pagemap.c
 *	  What each page of the region is used for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shared/pagemap.h"
#include "shared/region.h"

PageTag    *page_tags;
Slab	   *page_slabs;
uint16	   *page_groups;

static Size
groups(void)
{
	return (region_pages + GROUP_PAGES - 1) / GROUP_PAGES;
}

/* In the postmaster, once the region is mapped. */
bool
pagemap_map(void)
{
	page_tags = region_map(region_pages * sizeof(PageTag));
	page_slabs = region_map(region_pages * sizeof(Slab));
	page_groups = region_map(groups() * sizeof(uint16));
	return page_tags != NULL && page_slabs != NULL && page_groups != NULL;
}

/* After a crash: nothing of it is true any more. */
void
pagemap_wipe(void)
{
	region_wipe(page_tags, region_pages * sizeof(PageTag));
	region_wipe(page_slabs, region_pages * sizeof(Slab));
	region_wipe(page_groups, groups() * sizeof(uint16));
}

/* Tag pages that belong together: in those of a class each knows its place. */
void
pagemap_set(Size page, Size pages, uint8 owner, uint8 class)
{
	for (Size i = 0; i < pages; i++)
		page_tags[page + i] = TAG(owner, class, class < SIZES_COUNT ? i : 0);
}
