/*-------------------------------------------------------------------------
 *
 * fault.c
 *	  Memory that is refused on purpose, in checking builds.
 *
 * The tests set jemctx.debug_fail_extents, and every so many-th request for
 * pages fails as if the system had none left.  That happens only where running
 * out of memory ends a statement and not the server.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/fault.h"

#ifdef JEMCTX_CHECKING

#include <limits.h>

#include "utils/guc.h"

#include "arena/refusal.h"

static int	fail_extents;

/* Requests since one failed; backends have one thread. */
static int	requests;

void
fault_enter(void)
{
	DefineCustomIntVariable("jemctx.debug_fail_extents",
							"Makes every so many-th request for pages fail.",
							"0 makes none fail. For tests; only in checking builds.",
							&fail_extents, 0, 0, INT_MAX,
							PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
}

/* Called from extent hooks. */
bool
fault_due(void)
{
	if (fail_extents == 0 || !refusal_is_safe() || ++requests < fail_extents)
		return false;
	requests = 0;
	return true;
}

#endif
