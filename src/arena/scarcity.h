/*-------------------------------------------------------------------------
 *
 * scarcity.h
 *	  Memory that is refused on purpose, in checking builds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_SCARCITY_H
#define JEMCTX_SCARCITY_H

#include "postgres.h"

#include "compat/compat.h"

#ifdef JEMCTX_CHECKING
extern void scarcity_enter(void);
extern bool scarcity_due(void);
extern bool scarcity_refuses(Size size);
extern bool scarcity_is_met(void);
extern bool scarcity_refuses_all(void);
extern Size scarcity_excess(Size size);
extern void scarcity_grant(Size size);
extern bool scarcity_has_refused(void);
#else
static inline void
scarcity_enter(void)
{
}

/* Must the request that is being made for pages fail? */
static inline bool
scarcity_due(void)
{
	return false;
}

/* Does an allocation of so many bytes meet the limit that there is not? */
static inline bool
scarcity_refuses(Size size)
{
	return false;
}

static inline bool
scarcity_is_met(void)
{
	return false;
}

static inline bool
scarcity_refuses_all(void)
{
	return false;
}

static inline Size
scarcity_excess(Size size)
{
	return size;
}

static inline void
scarcity_grant(Size size)
{
}

static inline bool
scarcity_has_refused(void)
{
	return false;
}
#endif

#endif							/* JEMCTX_SCARCITY_H */
