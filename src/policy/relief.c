/*-------------------------------------------------------------------------
 *
 * relief.c
 *	  What is done when memory is short.
 *
 * Idle processes are asked to return what they do not use, and at high
 * pressure to drop their catalog caches as well; busy ones do the former at the
 * end of each statement, and the keeper shrinks the stocks of namespaces by
 * itself.  The log has one line for each change.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compat/interrupt.h"
#include "policy/others.h"
#include "policy/relief.h"
#include "server/account.h"
#include "server/headroom.h"
#include "server/pressure.h"
#include "server/serverlimit.h"

#define MB ((Size) 1024 * 1024)

/* What there is, and is left, as a detail for the log. */
static int
detail(void)
{
	MachineLook look;
	char		limit[64] = "";

	machine_look(&look);
	if (serverlimit_is_counted())
		snprintf(limit, sizeof(limit), " of the %zu MB that it may have",
				 serverlimit_bytes() / MB);
	if (look.available == SIZE_MAX)
		return errdetail("The server holds %zu MB%s.", account_server() / MB, limit);
	return errdetail("The server holds %zu MB%s. The %s has %zu MB, of which %zu MB are available.",
					 account_server() / MB, limit,
					 look.cgroup_limit < look.total ? "control group" : "machine",
					 machine_memory(&look) / MB, look.available / MB);
}

static void
tell(Pressure told, Pressure level)
{
	switch (level)
	{
		case PRESSURE_NONE:
			ereport(LOG_SERVER_ONLY, (errmsg("memory is not short any more"), detail()));
			break;
		case PRESSURE_SOME:
			ereport(LOG_SERVER_ONLY,
					(told == PRESSURE_NONE ? errmsg("memory is getting short") :
					 errmsg("memory is not very short any more"),
					 detail()));
			break;
		case PRESSURE_HIGH:
			ereport(LOG_SERVER_ONLY,
					(errmsg("memory is very short"), detail(),
					 errhint("Statements that need more are refused soon. "
							 "jemctx_backends shows who has how much.")));
			break;
	}
}

/* The level is another one now, or as high as before for a while. */
static void
act(Pressure told, Pressure level)
{
	if (told != level)
		tell(told, level);
	if (level > PRESSURE_NONE && level >= told)
		others_ask_all(level == PRESSURE_HIGH);
}

/* In an interrupt: an extent hook of this process may have found that it is time to act. */
static void
serve_interrupt(void)
{
	if (MyProc != NULL)
		pressure_attend();
}

/* In the postmaster. */
void
relief_enter(void)
{
	pressure_set_actor(act);
	interrupt_add_server(serve_interrupt);
}
