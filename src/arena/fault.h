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
extern bool fault_refuses(Size size);
extern bool fault_is_met(void);
extern Size fault_excess(Size size);
extern void fault_grant(Size size);
extern bool fault_has_refused(void);
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

/* Does an allocation of so many bytes meet the limit that there is not? */
static inline bool
fault_refuses(Size size)
{
	return false;
}

static inline bool
fault_is_met(void)
{
	return false;
}

static inline Size
fault_excess(Size size)
{
	return size;
}

static inline void
fault_grant(Size size)
{
}

static inline bool
fault_has_refused(void)
{
	return false;
}
#endif

#endif							/* JEMCTX_FAULT_H */
