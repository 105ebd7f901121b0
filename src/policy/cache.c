/*-------------------------------------------------------------------------
 *
 * cache.c
 *	  The catalog caches of this process.
 *
 * PostgreSQL never makes its catalog caches smaller.  What is in them can be
 * had from the catalogs again, so a backend may drop them between two
 * transactions, in the way in which it does when it has missed too many
 * invalidation messages.  That leaves prepared statements without their plans,
 * and the hash tables.
 *
 * It needs no transaction.  Outside of one nothing is in use but the catalogs'
 * own entries, which are marked and read again when they are next needed, and
 * so no catalog is read.  Callbacks of other modules are used to that: they are
 * called when a transaction aborts, too, and in a walsender that decodes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "compat/clock.h"
#include "context/persistent.h"
#include "policy/cache.h"
#include "server/pressure.h"

#define DEFAULT_IDLE_LIMIT (8 * 1024)
#define DEFAULT_IDLE_AFTER (5 * 60 * 1000)
#define NEVER (-1)

/* Settings: the limits in kB, the time in ms */
static int	idle_cache_limit;
int			busy_cache_limit;
int			idle_cache_after;

/* Bytes, when they were measured last, which a busy process does once a second. */
static Size measured;

/* When the caches were shed last, by clock_ms(); 0 for never. */
static int64 shed_at = 0;

/*
 * What was left then.  It will be left again, so it makes no sense to shed
 * before there is some more.
 */
static Size left_over;
#define WORTH_SHEDDING(left) ((left) + (left) / 4)

/* At high pressure an idle backend does, whatever the setting, from here on, in kB. */
#define LIMIT_AT_HIGH_PRESSURE 1024

/* Measure the catalog caches, and what else PostgreSQL keeps with them, in bytes. */
Size
cache_size(void)
{
	measured = CacheMemoryContext ? MemoryContextMemAllocated(CacheMemoryContext, true) : 0;
	return measured;
}

/* More than there may be, and than there would be without them?  Only between transactions. */
static bool
exceeds(Size size, int limit)
{
	return limit != NEVER && size > (Size) limit * 1024 && size > WORTH_SHEDDING(left_over) &&
		!IsTransactionOrTransactionBlock();
}

/* As far as is known without measuring: are they more than an idle backend may have? */
bool
cache_seems_too_large(void)
{
	return exceeds(measured, idle_cache_limit);
}

/* So large may they be now, in kB, or NEVER. */
static int
limit_now(void)
{
	if (pressure_level() < PRESSURE_HIGH)
		return idle_cache_limit;
	return idle_cache_limit == NEVER ? LIMIT_AT_HIGH_PRESSURE :
		Min(idle_cache_limit, LIMIT_AT_HIGH_PRESSURE);
}

/* Are they, and can they be shed here and now? */
bool
cache_is_too_large(void)
{
	int			limit = limit_now();

	return limit != NEVER && exceeds(cache_size(), limit);
}

/* Is a busy backend, between two transactions, to shed them again? */
bool
cache_is_due_when_busy(void)
{
	return exceeds(measured, busy_cache_limit) &&
		(shed_at == 0 || clock_ms() - shed_at >= idle_cache_after);
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
 * Drop the caches, outside of a transaction, whose end would clean up after an
 * error.  The error is caught where interrupts may be held, by whoever has
 * called us in one: it must not end that.
 */
void
cache_shed(void)
{
	MemoryContext context = CurrentMemoryContext;
	uint32		holdoff = InterruptHoldoffCount;
	uint32		cancel_holdoff = QueryCancelHoldoffCount;

	PG_TRY();
	{
		InvalidateSystemCaches();
	}
	PG_CATCH();
	{
		InterruptHoldoffCount = holdoff;
		QueryCancelHoldoffCount = cancel_holdoff;
		AtEOXact_HashTables(false);
		MemoryContextSwitchTo(context);
		log_failure();
	}
	PG_END_TRY();
	persistent_trim(CacheMemoryContext);
	shed_at = clock_ms();
	left_over = cache_size();
	if (pressure_level() == PRESSURE_HIGH)
		pressure_count(PRESSURE_SHEDS);
}

/* In the postmaster. */
void
cache_enter(void)
{
	DefineCustomIntVariable("jemctx.idle_cache_limit",
							"Sets how large the catalog caches of an idle backend may be.",
							"Larger ones are dropped after jemctx.idle_cache_after; -1 sets no "
							"limit.",
							&idle_cache_limit, DEFAULT_IDLE_LIMIT, NEVER, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("jemctx.idle_cache_after",
							"Sets the time after which an idle backend drops catalog caches that "
							"are too large.",
							"Never sooner than jemctx.idle_purge_after.",
							&idle_cache_after, DEFAULT_IDLE_AFTER, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("jemctx.busy_cache_limit",
							"Sets how large the catalog caches of a backend may be that is never "
							"idle.",
							"Larger ones are dropped between two transactions, once in "
							"jemctx.idle_cache_after; -1 sets no limit.",
							&busy_cache_limit, NEVER, NEVER, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
}
