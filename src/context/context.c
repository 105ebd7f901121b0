/*-------------------------------------------------------------------------
 *
 * context.c
 *	  The MemoryContext types of jemctx: what they have in common.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat/dispatch.h"
#include "context/checking.h"
#include "context/context.h"
#include "context/persistent.h"
#include "context/transient.h"

/* A context of the type for that lifetime, or an AllocSet where ours cannot be had. */
MemoryContext
JemctxContextCreate(MemoryContext parent, const char *name, JemctxLifetime lifetime)
{
	jemalloc_require();
	if (!dispatch_works)
		return AllocSetContextCreateInternal(parent, name, ALLOCSET_DEFAULT_SIZES);
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
