/*-------------------------------------------------------------------------
 *
 * region.h
 *	  The address space of all namespaces.
 *
 * Mapped shared in the postmaster, so at the same address in every process;
 * pages take memory when they are touched and give it back to the kernel when
 * they are removed.  Only the keeper reserves and releases pages, so which
 * ones are taken is known to it alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REGION_H
#define JEMCTX_REGION_H

#include "namespace/pagemap.h"

/* GUC, in kB */
extern int	namespace_memory;

/* In the postmaster */
extern void *region_map(Size bytes);
extern void region_wipe(void *start, Size bytes);
extern bool region_enter(void);

/* In the keeper */
extern bool region_open(void);
extern Size region_reserve(Size pages, Size alignment, bool *clean);
extern void region_release(Size page, Size pages, bool committed);
extern bool region_remove(Size page, Size pages);
extern bool region_may_commit(Size bytes);
extern void region_trim(void);

/* Anywhere */
extern Size region_size(void);

#endif							/* JEMCTX_REGION_H */
