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
keeper_wake(void)
{
	PGPROC	   *keeper = control->keeper;

	if (keeper != NULL)
		SetLatch(&keeper->procLatch);
}

/* There may be something to do for it, but not now: its clock must run. */
static inline void
keeper_notice(void)
{
	if (unlikely(pg_atomic_read_u32(&control->keeper_sleeps) != 0))
		keeper_wake();
}

#endif							/* JEMCTX_BELL_H */
