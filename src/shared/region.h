/*-------------------------------------------------------------------------
 *
 * region.h
 *	  The address space of all namespaces.
 *
 * Pages take memory when they are touched and give it back to the kernel when
 * they are removed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REGION_H
#define JEMCTX_REGION_H

#include "shared/control.h"

/* GUC, in kB */
extern int	namespace_memory;

#pragma GCC visibility push(hidden)

/* Set in the postmaster before it has children. */
extern char *region_base;
extern Size region_pages;

#pragma GCC visibility pop

/* Too large for pointers that are not into the region. */
static inline Size
region_page(const void *pointer)
{
	return ((uintptr_t) pointer - (uintptr_t) region_base) >> SIZES_PAGE_LG;
}

static inline char *
region_address(Size page)
{
	return region_base + (page << SIZES_PAGE_LG);
}

/* In the postmaster */
extern bool region_map(void);
extern void region_unmap(void);

/* Anywhere */
extern Size region_size(void);
extern uint64 region_limit(Namespace *space);
extern bool region_remove(Size page, Size pages);
extern Size region_untouched(Size committed);

#endif							/* JEMCTX_REGION_H */
