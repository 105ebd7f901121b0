/*-------------------------------------------------------------------------
 *
 * cache.c
 *	  The catalog caches of this process.
 *
 * PostgreSQL never makes its catalog caches smaller.  What is in them can be
 * had from the catalogs again, so an idle backend may drop them, in the way in
 * which it does when it has missed too many invalidation messages.  That
 * leaves what is in use (relations of open cursors), prepared statements, and
 * the hash tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "policy/cache.h"

#define NEVER (-1)

/* Setting, in kB */
static int	idle_cache_limit;

/*
 * What was left the last time.  It will be left again, so it makes no sense
 * to shed before there is some more.
 */
static Size left_over;
#define WORTH_SHEDDING(left) ((left) + (left) / 4)

/* Bytes of the catalog caches, and of what else PostgreSQL keeps with them. */
Size
cache_size(void)
{
	return CacheMemoryContext ? MemoryContextMemAllocated(CacheMemoryContext, true) : 0;
}

/* More than an idle backend may have, and than there would be after it has dropped them? */
bool
cache_is_too_large(void)
{
	Size		size;

	if (idle_cache_limit == NEVER)
		return false;
	size = cache_size();
	return size > (Size) idle_cache_limit * 1024 && size > WORTH_SHEDDING(left_over);
}

/* The client has been told that we are ready, so an error is not for it. */
static void
log_failure(void)
{
	ErrorData  *error = CopyErrorData();

	FlushErrorState();
	ereport(LOG,
			(errmsg("could not drop the catalog caches: %s", error->message)));
	FreeErrorData(error);
}

/*
 * Drop the caches, in a transaction that the client does not know of.  If that
 * fails, a subtransaction takes back what it has done; it must not fail with it.
 */
void
cache_shed(void)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		InvalidateSystemCaches();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		log_failure();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	left_over = cache_size();
}

/* In the postmaster. */
void
cache_enter(void)
{
	DefineCustomIntVariable("jemctx.idle_cache_limit",
							"Sets how large the catalog caches of an idle backend may be.",
							"Larger ones are dropped; -1 sets no limit.",
							&idle_cache_limit, NEVER, NEVER, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
}
