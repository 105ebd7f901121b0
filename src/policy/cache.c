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

/* In a transaction of its own, as PostgreSQL does it. */
static void
drop_caches(void)
{
	MemoryContext old = CurrentMemoryContext;

	PG_TRY();
	{
		StartTransactionCommand();
		InvalidateSystemCaches();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(old);
		log_failure();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);
}

/* Drop the caches if they are too large.  Not in a transaction. */
void
cache_shed(void)
{
	Size		size;

	if (idle_cache_limit == NEVER)
		return;
	size = cache_size();
	if (size <= (Size) idle_cache_limit * 1024 || size <= WORTH_SHEDDING(left_over))
		return;
	drop_caches();
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
