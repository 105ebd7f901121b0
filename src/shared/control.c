/*-------------------------------------------------------------------------
 *
 * control.c
 *	  What the processes of the server share about namespaces.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/proc.h"

#include "jemalloc/jemalloc.h"
#include "shared/control.h"

/* How long a process waits for the keeper to start. */
#define START_MS 10000
#define START_LOOK_MS 10

NamespaceControl *control;

/* Why there are no namespaces in this state, and what to do about it; NULL if there are. */
const char *
control_problem(KeeperState state, const char **hint)
{
	*hint = NULL;
	switch (state)
	{
		case KEEPER_RUNNING:
			return NULL;
		case KEEPER_STARTING:
			*hint = "The server's log may say why.";
			return "The keeper, a background worker, does not start.";
		case KEEPER_STOPPED:
			return "The server is shutting down.";
		case KEEPER_NO_SLOT:
			*hint = "Increase max_worker_processes.";
			return "No background worker was free for the keeper.";
		case KEEPER_STANDALONE:
			return "A standalone backend has no background workers.";
		case KEEPER_NO_REGION:
			*hint = "Set jemctx.namespace_memory.";
			return "They have no memory.";
		case KEEPER_OTHER_PAGES:
			return "The system's pages are not of 4 kB.";
		case KEEPER_NO_MAPPING:
			*hint = "Lower jemctx.namespace_memory, or set it to 0.";
			return "The kernel refused to map their memory when the server started.";
	}
	return NULL;				/* keep compiler quiet */
}

static void
unavailable(const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("namespaces are not available"),
			 errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}

/* Wait until somebody calls this process, or for a while at the most.  Can be interrupted. */
void
control_wait(long ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* The keeper starts with the server; wait for it for a while. */
static void
wait_for_start(void)
{
	for (int waited = 0; waited < START_MS; waited += START_LOOK_MS)
	{
		if (pg_atomic_read_u32(&control->state) != KEEPER_STARTING)
			return;
		control_wait(START_LOOK_MS);
	}
}

/* Raise an ERROR that says why, unless there can be namespaces. */
void
control_require(void)
{
	const char *detail;
	const char *hint;

	jemalloc_require();
	if (control == NULL || MyProc == NULL)
		unavailable("This process has no part in the server's shared memory.", NULL);
	if (pg_atomic_read_u32(&control->state) == KEEPER_STARTING)
		wait_for_start();
	detail = control_problem(pg_atomic_read_u32(&control->state), &hint);
	if (detail != NULL)
		unavailable(detail, hint);
}
