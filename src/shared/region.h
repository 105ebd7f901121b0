/*-------------------------------------------------------------------------
 *
 * region.h
 *	  The address space of all namespaces.
 *
 * Mapped shared in the postmaster, so at the same address in every process;
 * pages take memory when they are touched and give it back to the kernel when
 * they are removed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REGION_H
#define JEMCTX_REGION_H

#include "shared/pagemap.h"

/* GUC, in kB */
extern int	namespace_memory;

/* In the postmaster */
extern void *region_map(Size bytes);
extern void region_wipe(void *start, Size bytes);
extern bool region_enter(void);

/* Anywhere */
extern Size region_size(void);
extern bool region_remove(Size page, Size pages);
extern Size region_untouched(Size committed);

#endif							/* JEMCTX_REGION_H */
