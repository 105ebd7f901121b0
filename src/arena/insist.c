/*-------------------------------------------------------------------------
 *
 * insist.c
 *	  An allocation that has failed is tried again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/appeal.h"
#include "arena/caller.h"
#include "arena/growth.h"
#include "arena/insist.h"
#include "arena/limit.h"
#include "arena/moment.h"
#include "arena/overrun.h"
#include "arena/refusal.h"
#include "arena/scarcity.h"
#include "arena/unused.h"

/* Have others return what they do not use, and try again while they do. */
static void *
appeal(const Attempt *attempt)
{
	void	   *object = NULL;

	appeal_begin();
	while (object == NULL && appeal_wait())
	{
		refusal_watch();
		object = attempt->make(attempt);
		if (object == NULL && !refusal_noted())
			break;
	}
	return object;
}

/*
 * The process had to return what it keeps before it grows: do so, and make the
 * allocation.
 */
static void *
grow(const Attempt *attempt)
{
	if (!growth_was_refused() || scarcity_is_met())
		return NULL;
	growth_return_first();
	return attempt->make(attempt);
}

/*
 * If a limit was why, return all unused memory and make the allocation once
 * more, and if it was the server's have others do so.
 *
 * What the hooks have refused may have been another allocation, which got
 * along, and this one may fail for ever: so it is first tried again alone.
 */
static void *
press(const Attempt *attempt)
{
	void	   *object = NULL;

	refusal_watch();
	if (!limit_in_force() && !scarcity_is_met())
		return NULL;
	for (int purges = 0; purges < 2 && object == NULL; purges++)
	{
		if (purges > 0)
			unused_purge();
		refusal_watch();
		object = scarcity_is_met() ? NULL : attempt->make(attempt);
		if (object == NULL && !refusal_noted())
			break;
	}
	if (object == NULL && refusal_noted() && refusal_noted()->by_server)
		object = appeal(attempt);
	return object;
}

/* An allocation has failed.  Make it nevertheless, if that can be; else NULL. */
void *pg_noinline
insist_on(const Attempt *attempt)
{
	static bool insisting = false;
	void	   *object;

	if (!moment_in_main_thread() || insisting || scarcity_refuses_all())
		return NULL;
	insisting = true;
	growth_admit_all(true);
	object = grow(attempt);
	if (object == NULL)
		object = press(attempt);
	insisting = false;
	if (object == NULL && refusal_noted())
		object = attempt->caller != NULL && !caller_is_postgres(attempt->caller) ?
			overrun_grant(attempt) : overrun_lend(attempt);
	if (object == NULL && !refusal_noted())
		refusal_forget();		/* what somebody coped with is not why this one fails */
	growth_admit_all(false);
	return object;
}
