/*-------------------------------------------------------------------------
 *
 * policy.h
 *	  When memory goes back to the system.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_POLICY_H
#define JEMCTX_POLICY_H

#include "policy/cache.h"
#include "policy/demand.h"
#include "policy/idle.h"
#include "policy/registry.h"
#include "policy/worker.h"

/* In the postmaster, after context_enter(). */
static inline void
policy_enter(void)
{
	registry_enter();
	cache_enter();
	idle_enter();
	worker_enter();
}

#endif							/* JEMCTX_POLICY_H */
