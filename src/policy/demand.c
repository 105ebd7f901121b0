/*-------------------------------------------------------------------------
 *
 * demand.c
 *	  How much memory the recent statements of this process have needed.
 *
 * jemalloc's decay gives a page back some time after it was freed, however
 * often it has been in use since, and a statement that comes around every few
 * seconds has to fault it in again.  So a busy backend keeps all pages as long
 * as statements need as many: the most that any needed in the last period of
 * jemctx.dirty_decay, or the one before.  What is far beyond that is given
 * back at the end of a statement.  One that has little leaves it to jemalloc:
 * most connections never have more, and to stop the decay costs each of them
 * some page faults.
 *
 * jemalloc counts what a thread allocates and frees; the difference is what it
 * has, and its peak is known to some 100 kB ("thread.peak.read" in
 * jemalloc(3)).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/arena.h"
#include "arena/usage.h"
#include "compat/clock.h"
#include "jemalloc/mallctl.h"
#include "policy/demand.h"
#include "server/account.h"

/* So many times the demand, and so much, may be kept; up to so much, jemalloc decides. */
#define KEEP_FACTOR 2
#define KEEP_BYTES ((int64) 8 * 1024 * 1024)

/* Bytes that the thread had when the peak was last reset. */
static int64 had_at_reset;

/* The most that was needed, in this period and in the one before. */
static int64 current;
static int64 previous;
static int64 period_start;

/* The most that the thread has had since the last call. */
static int64
read_peak(void)
{
	int64		most = had_at_reset + (int64) mallctl_take_peak();

	had_at_reset = usage_allocated();
	return Max(most, had_at_reset);
}

static void
note_demand(int64 bytes)
{
	int64		now = clock_ms();

	if (dirty_decay > 0 && now - period_start >= dirty_decay)
	{
		previous = current;
		current = 0;
		period_start = now;
	}
	current = Max(current, bytes);
}

/*
 * At the end of a statement: does the process hold far more than the recent
 * ones have needed?
 */
bool
demand_exceeded(void)
{
	Size		held = account_committed();

	if (held <= KEEP_BYTES)
		return false;
	arena_decide_decay();
	if (dirty_decay <= 0)
		return false;
	note_demand(read_peak());
	return held > KEEP_FACTOR * Max(current, previous) + KEEP_BYTES;
}
