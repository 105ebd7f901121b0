/*-------------------------------------------------------------------------
 *
 * lock.h
 *	  The locks on what all processes change: bins and stocks.
 *
 * They are LWLocks, which a process that ends lets go; what it was doing then
 * is half done.  Nothing that is done with one raises errors, and guard.c is
 * for signal handlers that end a process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_LOCK_H
#define JEMCTX_LOCK_H

#include "postgres.h"

#include "storage/lwlock.h"

#include "shared/guard.h"

static inline void
lock(LWLock *which)
{
	guard_enter();
	LWLockAcquire(which, LW_EXCLUSIVE);
	guard_change();
}

static inline void
unlock(LWLock *which)
{
	guard_changed();
	LWLockRelease(which);
	guard_leave();
}

#endif							/* JEMCTX_LOCK_H */
