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

#include "context/enter.h"
#include "context/persistent.h"
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
	DefineCustomBoolVariable("jemctx.cache_contexts",
							 "Keeps PostgreSQL's catalog caches in a persistent context of jemctx.",
							 NULL,
							 &cache_contexts, true,
							 PGC_POSTMASTER, 0, NULL, NULL, NULL);
	transient_enter();
	if (cache_contexts && CacheMemoryContext == NULL)
		CacheMemoryContext = persistent_create(TopMemoryContext, "CacheMemoryContext");
}
