/*-------------------------------------------------------------------------
 *
 * budget.c
 *	  How much free memory all processes together keep.
 *
 * What a process keeps makes its next statements fast, and two hundred of
 * them an outage.  So each tells in the registry how much it keeps at the end
 * of a statement, and whoever keeps more than before, or has not looked for a
 * while, adds up what all do.  Beyond jemctx.kept_memory_limit, those that
 * are idle are asked to purge, the longest idle first.  One adds up and asks
 * at a time: of two who did it at once, each would have somebody return what
 * one was enough for.  If that is not enough, one keeps its fair share at
 * most: the budget divided by the number of those that keep anything worth
 * it.  Nor does one grow beside what it keeps then (arena/growth.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "storage/lwlock.h"
#include "utils/guc.h"

#include "arena/growth.h"
#include "compat/clock.h"
#include "compat/compat.h"
#include "compat/shmem.h"
#include "policy/budget.h"
#include "policy/others.h"
#include "server/machine.h"
#include "shared/failpoint.h"

#define AUTOMATIC (-1)

/* That part of the machine's memory, or of its control group's, is the budget then. */
#define AUTOMATIC_DIVISOR 16

/* What everybody may keep, and is too little to be added up. */
#define BASE ((Size) 512 * 1024)

/* One looks again when that much more is kept, or that many milliseconds have passed. */
#define LOOK_BYTES ((Size) 4 * 1024 * 1024)
#define LOOK_MS 1000

/* How long the machine's size is believed, in milliseconds. */
#define MACHINE_MS 10000

#define KB ((Size) 1024)

/* Setting, in kB */
static int	kept_memory_limit;

/* In shared memory: whoever adds up and asks has it. */
static LWLock *looking;

/* At the last look: when, with how much kept, and what this process may keep. */
static int64 looked_at;
static Size looked_with;
static Size share = SIZE_MAX;

/* A part of the machine's memory, which is looked at now and then. */
static Size
automatic_limit(void)
{
	static Size limit;
	static int64 asked_at;
	int64		now = clock_ms();

	if (asked_at == 0 || now - asked_at >= MACHINE_MS)
	{
		MachineLook seen;

		machine_look(&seen);
		limit = machine_memory(&seen) / AUTOMATIC_DIVISOR;
		asked_at = now;
	}
	return limit;
}

/* Bytes that all processes together may keep. */
Size
budget_limit(void)
{
	return kept_memory_limit == AUTOMATIC ? automatic_limit() : kept_memory_limit * KB;
}

/* Add up what is kept, and see what follows. */
static void
look(Size kept)
{
	Size		limit = budget_limit();
	int			holders;
	Size		sum;

	looked_at = clock_ms();
	looked_with = kept;
	share = SIZE_MAX;
	LWLockAcquire(looking, LW_EXCLUSIVE);
	sum = registry_kept(BASE, &holders);
	FAILPOINT_PAUSE(PAUSE_IN_LOOK);
	if (sum > limit && others_ask_longest_idle(sum - limit, BASE) < sum - limit)
		share = Max(limit / Max(holders, 1), limit > 0 ? BASE : 0);
	LWLockRelease(looking);
	growth_be_strict(share < SIZE_MAX);
}

/* Is it too little to be added up? */
static bool
is_little(Size kept)
{
	return kept <= BASE && kept_memory_limit != 0;
}

/* Is it time to add up again, at the end of a statement, by clock_ms(), with so much kept? */
bool
budget_is_due(Size kept, int64 now)
{
	return !is_little(kept) && (kept >= looked_with + LOOK_BYTES || now - looked_at >= LOOK_MS);
}

/*
 * At the end of a statement: does this process keep more than its share of what
 * all may keep?
 */
bool
budget_exceeded(RegistryEntry *entry)
{
	Size		kept = registry_tell_kept(entry);

	if (is_little(kept))
		return false;
	if (budget_is_due(kept, clock_ms()))
		look(kept);
	return kept > share;
}

static Size
size(void)
{
	return sizeof(LWLock);
}

static void
init(void)
{
	LWLockInitialize(looking, compat_new_tranche("jemctx_budget"));
}

/* In the postmaster. */
void
budget_enter(void)
{
	shmem_add("jemctx budget", (void **) &looking, size, init);
	DefineCustomIntVariable("jemctx.kept_memory_limit",
							"Sets how much free memory all processes together may keep for their "
							"next statements.",
							"-1 allows a sixteenth of what the machine or the control group has; "
							"0 keeps nothing.",
							&kept_memory_limit, AUTOMATIC, AUTOMATIC, MAX_KILOBYTES,
							PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
}
