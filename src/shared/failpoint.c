/*-------------------------------------------------------------------------
 *
 * failpoint.c
 *	  Failures on demand, in checking builds.
 *
 * The extension has no functions for it: tests of a checking build declare
 * them themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "shared/failpoint.h"

#ifdef JEMCTX_CHECKING

#include <signal.h>
#include <unistd.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "compat/compat.h"

/* How often one that pauses looks whether it may go on. */
#define PAUSE_MS 10

COMPAT_FUNCTION(jemctx_debug_fault);
COMPAT_FUNCTION(jemctx_debug_fault_pauses);
COMPAT_FUNCTION(jemctx_debug_fault_names);

#define FAILPOINT_NAME(constant, name) name,
static const char *const failpoint_names[] = {FAILPOINT_LIST(FAILPOINT_NAME)};

StaticAssertDecl(FAILPOINTS <= lengthof(((NamespaceControl *) NULL)->failpoints),
				 "too many failpoints");

void
failpoint_init(void)
{
	for (int i = 0; i < lengthof(control->failpoints); i++)
		pg_atomic_init_u32(&control->failpoints[i], 0);
}

void
failpoint_die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* Wait until the test sets it to 0.  No lock is held, but for one that the test is about. */
void
failpoint_pause(Failpoint failpoint)
{
	pg_atomic_uint32 *countdown = &control->failpoints[failpoint];

	pg_atomic_write_u32(countdown, FAILPOINT_PAUSED);
	while (pg_atomic_read_u32(countdown) == FAILPOINT_PAUSED)
		control_wait(PAUSE_MS);
}

/* The countdown whose name is an argument of the function. */
static pg_atomic_uint32 *
countdown_of(FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	control_require();
	for (int i = 0; i < FAILPOINTS; i++)
	{
		if (strcmp(failpoint_names[i], name) == 0)
			return &control->failpoints[i];
	}
	elog(ERROR, "no such failpoint: %s", name);
	return NULL;				/* keep compiler quiet */
}

/* The n-th time from now that something comes by it will fail; 0 for never, -1 for each. */
Datum
jemctx_debug_fault(PG_FUNCTION_ARGS)
{
	int32		n = PG_GETARG_INT32(1);

	pg_atomic_write_u32(countdown_of(fcinfo), n == -1 ? FAILPOINT_ALWAYS : (uint32) n);
	PG_RETURN_VOID();
}

Datum
jemctx_debug_fault_pauses(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(pg_atomic_read_u32(countdown_of(fcinfo)) == FAILPOINT_PAUSED);
}

/* The names of all, with spaces between them. */
Datum
jemctx_debug_fault_names(PG_FUNCTION_ARGS)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < FAILPOINTS; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? " " : "", failpoint_names[i]);
	PG_RETURN_TEXT_P(cstring_to_text(names.data));
}

#endif
