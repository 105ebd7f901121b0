/*-------------------------------------------------------------------------
 *
 * fault.h
 *	  Memory that is refused on purpose, in checking builds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_FAULT_H
#define JEMCTX_FAULT_H

#include "postgres.h"

#include "compat/compat.h"

#ifdef JEMCTX_CHECKING
extern void fault_enter(void);
extern bool fault_due(void);
#else
static inline void
fault_enter(void)
{
}

/* Must the request that is being made for pages fail? */
static inline bool
fault_due(void)
{
	return false;
}
#endif

#endif							/* JEMCTX_FAULT_H */
