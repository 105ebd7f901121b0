/*-------------------------------------------------------------------------
 *
 * policy.h
 *	  When memory goes back to the system.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_POLICY_H
#define JEMCTX_POLICY_H

#include "policy/background.h"
#include "policy/cache.h"
#include "policy/demand.h"
#include "policy/idle.h"
#include "policy/registry.h"

/* In the postmaster, after context_enter(). */
static inline void
policy_enter(void)
{
	registry_enter();
	cache_enter();
	idle_enter();
	background_enter();
}

#endif							/* JEMCTX_POLICY_H */
