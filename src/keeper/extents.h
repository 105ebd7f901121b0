/*-------------------------------------------------------------------------
 *
 * extents.h
 *	  The pages of each namespace, for the keeper.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_EXTENTS_H
#define JEMCTX_EXTENTS_H

#include "keeper/pages.h"
#include "shared/control.h"

typedef enum ExtentsResult
{
	EXTENTS_TAKEN,
	EXTENTS_LIMITED,			/* the namespace has as much as it may have */
	EXTENTS_SCARCE				/* there is no more for anybody */
} ExtentsResult;

extern ExtentsResult extents_take_slabs(Namespace *space, Size unit, Size most, PageRun *run);
extern ExtentsResult extents_take_large(Namespace *space, Size pages, PageRun *run);
extern void extents_free(Namespace *space, Size page, Size pages);
extern bool extents_can_clear(Namespace *space, uint64 next_edition);
extern void extents_clear(Namespace *space);
extern Size extents_sweep(bool all);
extern bool extents_tick(void);
extern bool extents_open(void);

#endif							/* JEMCTX_EXTENTS_H */
