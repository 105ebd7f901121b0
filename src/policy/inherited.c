/*-------------------------------------------------------------------------
 *
 * inherited.c
 *	  What a session has from the postmaster and does not need.
 *
 * Mostly that is what the postmaster has read of pg_hba.conf.  PostgreSQL
 * frees it when the session has started.  Used again it would be the session's
 * own, and nobody's in the server's sum, so it is returned to the system.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "policy/inherited.h"
#include "policy/purge.h"
#include "server/account.h"

/* Less than this is not worth a purge. */
#define WORTH_PURGING ((Size) 256 * 1024)

/* Bytes of the postmaster's that this session is about to free, or has freed. */
static Size postmasters;

/* The transaction that starts a session ends before PostgreSQL frees them. */
static void
at_xact_end(XactEvent event, void *arg)
{
	if (unlikely(PostmasterContext != NULL) && event == XACT_EVENT_PRE_COMMIT)
		postmasters = MemoryContextMemAllocated(PostmasterContext, true);
}

/* The session waits for its client: return them, once. */
void
inherited_return(void)
{
	Size		held = account_committed();
	Size		inherited = account_still_inherited();
	Size		returned;

	if (likely(postmasters <= WORTH_PURGING))
		return;
	purge_at_rest();
	/* what the session had for a while to start with may be among it */
	returned = Min(held - Min(account_committed(), held), postmasters);
	account_limit_inherited(inherited - Min(returned, inherited));
	postmasters = 0;
}

/* In the postmaster. */
void
inherited_enter(void)
{
	RegisterXactCallback(at_xact_end, NULL);
}
