/*-------------------------------------------------------------------------
 *
 * scarcity.c
 *	  Memory that is refused on purpose, in checking builds.
 *
 * The tests set jemctx.debug_fail_extents, and every n-th request for
 * pages fails as if the system had none left.  That happens only where running
 * out of memory ends a statement and not the server.  It is over when a
 * transaction or subtransaction is aborted, else nobody could unset it.
 *
 * Or they set jemctx.debug_refuse, and the n-th allocation after this
 * statement is refused as at a limit, wherever a limit may refuse one; with a
 * negative number all that follow it are, too.  It is over with the next
 * statement; jemctx.debug_refused says how many have been refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/scarcity.h"

#ifdef JEMCTX_CHECKING

#include <limits.h>

#include "access/xact.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"

#include "arena/moment.h"
#include "arena/refusal.h"
#include "server/account.h"

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

/*
 * The allocation that will be refused, counted from the next statement on; and
 * what has become of it.
 */
static int	refuse;
static int	refused;
static int	allocations;

/*
 * Is the allocation that is being made refused, and of how many bytes?  How many
 * have been so far?
 */
static bool met;
static Size asked;
static Size excess;

/* When the statement began that set it, and the one after that, or 0. */
static TimestampTz set_by;
static TimestampTz refused_in;

static void
assign_refuse(int newval, void *extra)
{
	allocations = 0;
	set_by = GetCurrentStatementStartTimestamp();
	refused_in = 0;
	excess = 0;
	if (newval != 0)
		refused = 0;
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
scarcity_enter(void)
{
	DefineCustomIntVariable("jemctx.debug_fail_extents",
							"Makes every n-th request for pages fail.",
							"0 makes none fail; nor does any after an abort. For tests.",
							&fail_extents, 0, 0, INT_MAX,
							PGC_USERSET, GUC_NOT_IN_SAMPLE, NULL, assign_fail_extents, NULL);
	DefineCustomIntVariable("jemctx.debug_refuse",
							"Refuses the n-th allocation of the next statement.",
							"0 refuses none; a negative number all that follow it, too. For tests.",
							&refuse, 0, -INT_MAX, INT_MAX,
							PGC_USERSET, GUC_NOT_IN_SAMPLE, NULL, assign_refuse, NULL);
	DefineCustomIntVariable("jemctx.debug_refused",
							"Shows how many allocations that has refused.",
							NULL,
							&refused, 0, 0, INT_MAX,
							PGC_INTERNAL, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	RegisterXactCallback(at_xact_end, NULL);
	RegisterSubXactCallback(at_subxact_end, NULL);
}

/* Called from extent hooks. */
bool
scarcity_due(void)
{
	if (!armed || !refusal_is_safe(0) || ++requests < fail_extents)
		return false;
	requests = 0;
	return true;
}

/*
 * Is what is refused in force: from the end of the statement that has set it to
 * the end of the next one?
 */
static bool
refuses_here(void)
{
	TimestampTz statement = GetCurrentStatementStartTimestamp();

	if (statement == set_by)
		return debug_query_string == NULL;
	if (refused_in == 0)
		refused_in = statement;
	return statement == refused_in;
}

/* A test fills contexts: everything is refused, and nobody is told. */
extern PGDLLEXPORT bool jemctx_debug_refuse_all;
bool		jemctx_debug_refuse_all = false;

bool
scarcity_refuses_all(void)
{
	return jemctx_debug_refuse_all;
}

/* Does an allocation of so many bytes meet the limit that there is not? */
bool
scarcity_refuses(Size size)
{
	met = false;
	if (unlikely(jemctx_debug_refuse_all) && moment_in_main_thread())
		return true;
	if (likely(refuse == 0) || !moment_in_main_thread() || !refuses_here() ||
		!refusal_is_safe(size))
		return false;
	allocations++;
	if (refuse > 0 ? allocations != refuse : allocations < -refuse)
		return false;
	met = true;
	refused++;
	asked = size;
	return true;
}

/* Has the allocation that is being made?  Then it is noted. */
bool
scarcity_is_met(void)
{
	if (met)
		refusal_note(&(Refusal) {"This process", account_committed(), asked, account_committed(),
								 "None."});
	return met;
}

/* By how many bytes does it with so many more? */
Size
scarcity_excess(Size size)
{
	return excess + size;
}

/* It got them. */
void
scarcity_grant(Size size)
{
	if (met)
		excess += size;
}

/* Has any of this statement's? */
bool
scarcity_has_refused(void)
{
	return refuse != 0 && refused > 0 && refuses_here();
}

#endif
