/*-------------------------------------------------------------------------
 *
 * faults.c
 *	  Failures on demand, in checking builds.
 *
 * The extension has no functions for it: tests of a checking build declare
 * them themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "namespace/faults.h"

#ifdef JEMCTX_CHECKING

#include <signal.h>
#include <unistd.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "compat/compat.h"

COMPAT_FUNCTION(jemctx_debug_fault);
COMPAT_FUNCTION(jemctx_debug_fault_names);

#define FAULT_NAME(constant, name) name,
static const char *const fault_names[] = {FAULT_LIST(FAULT_NAME)};

StaticAssertDecl(FAULTS <= lengthof(((NamespaceControl *) NULL)->faults), "too many faults");

void
fault_init(void)
{
	for (int i = 0; i < lengthof(control->faults); i++)
		pg_atomic_init_u32(&control->faults[i], 0);
}

void
fault_die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* The n-th time from now that something comes by it will fail; 0 for never. */
Datum
jemctx_debug_fault(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	shared_require();
	for (int fault = 0; fault < FAULTS; fault++)
	{
		if (strcmp(fault_names[fault], name) == 0)
		{
			pg_atomic_write_u32(&control->faults[fault], PG_GETARG_INT32(1));
			PG_RETURN_VOID();
		}
	}
	elog(ERROR, "no such fault: %s", name);
}

/* The names of all, with spaces between them. */
Datum
jemctx_debug_fault_names(PG_FUNCTION_ARGS)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int fault = 0; fault < FAULTS; fault++)
		appendStringInfo(&names, "%s%s", fault > 0 ? " " : "", fault_names[fault]);
	PG_RETURN_TEXT_P(cstring_to_text(names.data));
}

#endif
