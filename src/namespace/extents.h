/*-------------------------------------------------------------------------
 *
 * extents.h
 *	  The keeper's arenas: one for each namespace, with memory of the region.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_EXTENTS_H
#define JEMCTX_EXTENTS_H

#include "namespace/shared.h"

extern uint32 extents_round(uint32 pages);
extern uint32 extents_alloc(Namespace *space, uint32 pages, bool zero);
extern void extents_free(Namespace *space, uint32 page, uint32 pages);
extern void extents_reset(Namespace *space);
extern void extents_purge(Namespace *space);
extern Size extents_dirty(Namespace *space);

#endif							/* JEMCTX_EXTENTS_H */
