/*-------------------------------------------------------------------------
 *
 * reload.c
 *	  Idle backends take note of a reload.
 *
 * PostgreSQL has a backend read the configuration when its client sends the
 * next statement.  What an idle one may keep must not wait for that: so the
 * keeper, which reads it at once, interrupts the idle ones afterwards, and
 * they read it as they would with the next statement, in whatever transaction
 * they are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "keeper/keeper.h"
#include "policy/others.h"
#include "policy/registry.h"
#include "policy/reload.h"

/* The client expects no answer, so an error is not for it. */
static void
log_failure(void)
{
	ErrorData  *error = CopyErrorData();

	FlushErrorState();
	ereport(LOG_SERVER_ONLY, (errmsg("could not reload the configuration: %s", error->message)));
	FreeErrorData(error);
}

/* In an interrupt, while the client is silent.  Raises no errors. */
void
reload_take_note(void)
{
	MemoryContext context = MemoryContextSwitchTo(TopMemoryContext);
	uint32		holdoff = InterruptHoldoffCount;
	uint32		cancel_holdoff = QueryCancelHoldoffCount;

	if (ConfigReloadPending && MyBackendType == B_BACKEND)
	{
		ConfigReloadPending = false;
		PG_TRY();
		{
			ProcessConfigFile(PGC_SIGHUP);
			registry_publish();
		}
		PG_CATCH();
		{
			InterruptHoldoffCount = holdoff;
			QueryCancelHoldoffCount = cancel_holdoff;
			MemoryContextSwitchTo(TopMemoryContext);
			log_failure();
		}
		PG_END_TRY();
	}
	MemoryContextSwitchTo(context);
}

/* In the postmaster. */
void
reload_enter(void)
{
	keeper_at_reload(others_interrupt_idle);
}
