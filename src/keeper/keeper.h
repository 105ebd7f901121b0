/*-------------------------------------------------------------------------
 *
 * keeper.h
 *	  The process that has the pages of all namespaces.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_KEEPER_H
#define JEMCTX_KEEPER_H

#include "storage/latch.h"

#include "shared/control.h"

extern void keeper_register(void);
extern bool keeper_is_registered(void);
extern PGDLLEXPORT void jemctx_keeper_main(Datum arg) pg_attribute_noreturn();

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

#endif							/* JEMCTX_KEEPER_H */
