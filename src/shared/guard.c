/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  Changes that the end of this process must not leave half done.
 *
 * A backend that is told to end does so where it looks for interrupts, which
 * is nowhere in a change.  A background worker that has not asked for the same
 * has PostgreSQL's own handler, which ends it at any instruction: there, to
 * hold interrupts does not help, and signals are blocked.  That is two system
 * calls for work on many objects, and only in such workers.
 *
 * If a handler of somebody else's ends another process in a change, all of the
 * server must start over.  To wait for a lock is no change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/parallel.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "port/atomics.h"

#include "shared/guard.h"

static int	guards;
static sigset_t mask;			/* before the outermost of them */
static bool blocked;

static volatile sig_atomic_t changes;

/* Parallel workers end like backends. */
static bool
may_end_anywhere(void)
{
	return MyBackendType == B_BG_WORKER && !IsParallelWorker();
}

void
guard_enter(void)
{
	if (guards++ > 0)
		return;
	blocked = may_end_anywhere();
	if (blocked)
		sigprocmask(SIG_BLOCK, &BlockSig, &mask);
}

void
guard_leave(void)
{
	Assert(guards > 0);
	if (--guards == 0 && blocked)
		sigprocmask(SIG_SETMASK, &mask, NULL);
}

void
guard_change(void)
{
	changes++;
	pg_compiler_barrier();
}

void
guard_changed(void)
{
	pg_compiler_barrier();
	changes--;
}

bool
guard_is_broken(void)
{
	return changes > 0;
}
