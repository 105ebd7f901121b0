/*-------------------------------------------------------------------------
 *
 * enter.c
 *	  Contexts begin: in the postmaster, for all processes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/memutils.h"

#include "compat/dispatch.h"
#include "context/attempt.h"
#include "context/enter.h"
#include "context/persistent.h"
#include "context/slab.h"
#include "context/transient.h"

static bool cache_contexts;

/*
 * In the postmaster, after arena_enter().
 *
 * PostgreSQL creates CacheMemoryContext in each process unless it is there
 * already, so one made here serves all of its children.
 */
void
context_enter(void)
{
	const char *fault;

	DefineCustomBoolVariable("jemctx.cache_contexts",
							 "Keeps PostgreSQL's catalog caches in a persistent context of jemctx.",
							 NULL,
							 &cache_contexts, true,
							 PGC_POSTMASTER, 0, NULL, NULL, NULL);
	slab_enter();
	transient_enter();
#ifdef JEMCTX_CHECKING
	dispatch_enter(NULL, NULL);
#else
	dispatch_enter(&transient_methods, &persistent_methods);
#endif
	if (METHODS_IN_ROWS && dispatch_works && (fault = attempt_contexts()) != NULL)
		dispatch_give_up(fault);
	if (dispatch_works && cache_contexts && CacheMemoryContext == NULL)
		CacheMemoryContext = persistent_create(TopMemoryContext, "CacheMemoryContext");
}
