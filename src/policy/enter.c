/*-------------------------------------------------------------------------
 *
 * enter.c
 *	  When memory goes back to the system: in the postmaster, for all
 *	  processes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "policy/background.h"
#include "policy/budget.h"
#include "policy/cache.h"
#include "policy/demand.h"
#include "policy/enter.h"
#include "policy/idle.h"
#include "policy/inherited.h"
#include "policy/others.h"
#include "policy/registry.h"
#include "policy/relief.h"
#include "policy/reload.h"

/* In the postmaster, after context_enter(). */
void
policy_enter(void)
{
	registry_enter();
	budget_enter();
	cache_enter();
	demand_enter();
	idle_enter();
	inherited_enter();
	background_enter();
	others_enter();
	relief_enter();
	reload_enter();
}
