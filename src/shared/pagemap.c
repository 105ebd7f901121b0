/*-------------------------------------------------------------------------
 *
 * pagemap.c
 *	  What each page of the region is used for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shared/mapping.h"
#include "shared/pagemap.h"

PageTag    *page_tags;
Slab	   *page_slabs;
uint16	   *page_groups;

static Size
groups(void)
{
	return (region_pages + GROUP_PAGES - 1) / GROUP_PAGES;
}

/* In the postmaster, once the region is mapped: map it, or empty it after a crash. */
bool
pagemap_map(void)
{
	page_tags = mapping_fresh(page_tags, region_pages * sizeof(PageTag), -1);
	page_slabs = mapping_fresh(page_slabs, region_pages * sizeof(Slab), -1);
	page_groups = mapping_fresh(page_groups, groups() * sizeof(uint16), -1);
	return page_tags != NULL && page_slabs != NULL && page_groups != NULL;
}

/* Tag pages that belong together: in those of a class each knows its place. */
void
pagemap_set(Size page, Size pages, uint8 owner, uint8 class)
{
	for (Size i = 0; i < pages; i++)
		page_tags[page + i] = TAG(owner, class, class < SIZES_COUNT ? i : 0);
}
