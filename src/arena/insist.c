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
 * An allocation has failed.  If a limit was why, return all unused memory and
 * try it once more, and if it was the server's have others do so.
 *
 * What the hooks have refused may have been another allocation, which got
 * along, and this one may fail for ever: so it is first tried again alone.
 */
void *pg_noinline
insist_on(const Attempt *attempt)
{
	static bool insisting = false;
	void	   *object = NULL;

	if (!moment_in_main_thread() || insisting)
		return NULL;
	refusal_forget();			/* what somebody coped with is not why this one fails */
	if (!limit_in_force() && !scarcity_is_met())
		return NULL;
	insisting = true;
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
	insisting = false;
	if (object != NULL || !refusal_noted())
		return object;
	if (attempt->caller != NULL && !caller_is_postgres(attempt->caller))
		return overrun_grant(attempt);
	return overrun_lend(attempt);
}
