/*-------------------------------------------------------------------------
 *
 * fault.c
 *	  Memory that is refused on purpose, in checking builds.
 *
 * The tests set jemctx.debug_fail_extents, and every so many-th request for
 * pages fails as if the system had none left.  That happens only where running
 * out of memory ends a statement and not the server.  It is over when a
 * transaction or subtransaction is aborted, else nobody could unset it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/fault.h"

#ifdef JEMCTX_CHECKING

#include <limits.h>

#include "access/xact.h"
#include "utils/guc.h"

#include "arena/refusal.h"

static int	fail_extents;
static bool armed;

/* Requests since one failed; backends have one thread. */
static int	requests;

static void
assign_fail_extents(int newval, void *extra)
{
	armed = newval > 0;
	requests = 0;
}

static void
at_xact_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		armed = false;
}

static void
at_subxact_end(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		armed = false;
}

/* In the postmaster. */
void
fault_enter(void)
{
	DefineCustomIntVariable("jemctx.debug_fail_extents",
							"Makes every so many-th request for pages fail.",
							"0 makes none fail; nor does any after an abort. For tests.",
							&fail_extents, 0, 0, INT_MAX,
							PGC_USERSET, GUC_NOT_IN_SAMPLE, NULL, assign_fail_extents, NULL);
	RegisterXactCallback(at_xact_end, NULL);
	RegisterSubXactCallback(at_subxact_end, NULL);
}

/* Called from extent hooks. */
bool
fault_due(void)
{
	if (!armed || !refusal_is_safe() || ++requests < fail_extents)
		return false;
	requests = 0;
	return true;
}

#endif
