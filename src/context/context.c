/*-------------------------------------------------------------------------
 *
 * context.c
 *	  The MemoryContext types of jemctx: what they have in common.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/memutils.h"

#include "context/checking.h"
#include "context/context.h"

static bool cache_contexts;

MemoryContext
JemctxContextCreate(MemoryContext parent, const char *name, JemctxLifetime lifetime)
{
	jemalloc_require();
	switch (lifetime)
	{
		case JEMCTX_TRANSIENT:
			return transient_create(parent, name);
		case JEMCTX_PERSISTENT:
			return persistent_create(parent, name);
	}
	elog(ERROR, "unrecognized lifetime of a memory context: %d", (int) lifetime);
	return NULL;				/* keep compiler quiet */
}

void
context_creation_failed(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Failed while creating memory context \"%s\".", name)));
}

/* Returns false if the context is not one of ours. */
bool
context_describe(MemoryContext context, ContextInfo *info)
{
	if (!transient_describe(context, info) && !persistent_describe(context, info))
		return false;
#ifdef JEMCTX_CHECKING
	info->knows_requested = true;
	info->requested = checking_requested(context);
#else
	info->knows_requested = false;
#endif
	return true;
}

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
