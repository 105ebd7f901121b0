/*-------------------------------------------------------------------------
 *
 * bell.h
 *	  To call the keeper.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_BELL_H
#define JEMCTX_BELL_H

#include "storage/latch.h"

#include "shared/control.h"

/* Have it look for what there is to do. */
static inline void
bell_ring(void)
{
	PGPROC	   *keeper = control->keeper;

	if (keeper != NULL)
		SetLatch(&keeper->procLatch);
}

/* There may be something to do for it, but not now: its clock must run. */
static inline void
bell_start_clock(void)
{
	if (unlikely(pg_atomic_read_u32(&control->keeper_sleeps) != 0))
		bell_ring();
}

#endif							/* JEMCTX_BELL_H */
