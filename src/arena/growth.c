/*-------------------------------------------------------------------------
 *
 * growth.c
 *	  A process that grows returns first what it keeps.
 *
 * Pages that are freed are kept, since the next statements need as many.  But
 * a text that grows in a loop never fits what it has left behind, and within
 * that one statement a process would hold three times as much as it needs.  So
 * beyond what statements have needed again and again, it does not take pages
 * from the system while it keeps many that are free: the extent hooks refuse,
 * the allocation fails, and insist.c returns the free pages and makes it again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/growth.h"
#include "arena/moment.h"
#include "arena/unused.h"
#include "server/account.h"
#include "server/pressure.h"

/* So large a part of what a process holds may be free when it grows. */
#define TOLERATED_DIVISOR 32

/* Up to so many bytes in all a process grows whatever it keeps. */
static Size ease = SIZE_MAX;

/* Or not, because all processes together keep too much. */
static bool is_strict = false;

/* Is growth admitted, because what was kept has been returned? */
static bool admits_all = false;

/* Has growth been refused since the last call of growth_was_refused()? */
static bool refused = false;

/*
 * Would the process still be at ease with so many bytes more, so that it does
 * not matter what it keeps of what it holds?  Nobody is while memory is short.
 */
bool
growth_is_at_ease(Size more)
{
	return account_committed() + more <= ease && !is_strict && pressure_level() == PRESSURE_NONE;
}

/*
 * May the process take so many bytes from the system before it has returned
 * the free ones that it keeps?  Called from extent hooks: other threads always may, since
 * nobody would make their allocations again.
 */
bool
growth_admits(Size bytes, Size kept)
{
	if (growth_is_at_ease(bytes) || admits_all || !moment_in_main_thread() ||
		kept <= account_committed() / TOLERATED_DIVISOR)
		return true;
	refused = true;
	return false;
}

/* Is that why the allocation has failed? */
bool
growth_was_refused(void)
{
	bool		was_refused = refused;

	refused = false;
	return was_refused;
}

/* Return the free pages; caches of objects are not worth it. */
void
growth_return_first(void)
{
	unused_purge_pages();
}

/* What follows is admitted whatever is kept, or not any more. */
void
growth_admit_all(bool all)
{
	admits_all = all;
}

/* Up to so many bytes in all the process may grow whatever it keeps. */
void
growth_set_ease(Size bytes)
{
	ease = bytes;
}

/* Not while all processes together keep too much. */
void
growth_be_strict(bool strict)
{
	is_strict = strict;
}
