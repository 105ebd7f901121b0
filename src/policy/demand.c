/*-------------------------------------------------------------------------
 *
 * demand.c
 *	  How much memory the statements of this process need again and again.
 *
 * jemalloc's decay gives a page back some time after it was freed, however
 * often it has been in use since, and a statement that comes around every few
 * seconds has to fault it in again.  So a busy backend keeps all pages as long
 * as statements need as many: what at least three of them have needed in the
 * last period of jemctx.dirty_decay, or the one before.  What is far beyond
 * that is given back at the end of a statement, and within one before the
 * process grows (arena/growth.c): what was needed once is not kept.  A process
 * that has little leaves it to jemalloc: most connections never have more, and
 * to stop the decay costs each of them some page faults.
 *
 * jemalloc counts what a thread allocates and frees; the difference is what it
 * has, and its peak is known to some 100 kB ("thread.peak.read" in
 * jemalloc(3)).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/arena.h"
#include "arena/growth.h"
#include "arena/usage.h"
#include "compat/clock.h"
#include "jemalloc/mallctl.h"
#include "policy/demand.h"
#include "server/account.h"

/* So many times the demand, and so much, may be kept; up to so much, jemalloc decides. */
#define KEEP_FACTOR 2
#define KEEP_BYTES ((Size) 8 * 1024 * 1024)

/* What so many statements of a period have needed, others will. */
#define STATEMENTS 3

/* The most that statements of a period have needed, largest first. */
typedef struct Period
{
	Size		needed[STATEMENTS];
} Period;

static Period current;
static Period previous;
static int64 period_start;

/* Bytes that the thread had when the peak was last reset. */
static int64 had_at_reset;

/* The most that the thread has had since the last call. */
static Size
read_peak(void)
{
	int64		most = had_at_reset + (int64) mallctl_take_peak();

	had_at_reset = usage_allocated();
	return Max(most, had_at_reset);
}

/* A statement has needed so many bytes. */
static void
note_statement(Size bytes)
{
	int64		now = clock_ms();

	if (dirty_decay > 0 && now - period_start >= dirty_decay)
	{
		previous = current;
		current = (Period) {{0}};
		period_start = now;
	}
	for (int i = 0; i < STATEMENTS; i++)
	{
		Size		less = Min(bytes, current.needed[i]);

		current.needed[i] = Max(bytes, current.needed[i]);
		bytes = less;
	}
}

/* What they have needed again and again, with some more. */
static Size
may_hold(void)
{
	return KEEP_FACTOR * Max(current.needed[STATEMENTS - 1], previous.needed[STATEMENTS - 1]) +
		KEEP_BYTES;
}

/* Does it hold so much that what its statements need is counted? */
bool
demand_counts(void)
{
	return account_committed() > KEEP_BYTES;
}

/*
 * At the end of a statement: does the process hold far more than the recent
 * ones have needed?
 */
bool
demand_exceeded(void)
{
	Size		held = account_committed();

	growth_set_ease(dirty_decay < 0 ? SIZE_MAX : may_hold());
	if (!demand_counts())
		return false;
	arena_decide_decay();
	if (dirty_decay <= 0)
		return false;
	note_statement(read_peak());
	growth_set_ease(may_hold());
	return held > may_hold();
}

/* In the postmaster. */
void
demand_enter(void)
{
	growth_set_ease(KEEP_BYTES);
}
