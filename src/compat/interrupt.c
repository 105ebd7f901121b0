/*-------------------------------------------------------------------------
 *
 * interrupt.c
 *	  A place in PostgreSQL's interrupts that is ours.
 *
 * PostgreSQL knows best where a process can be interrupted: it checks in all
 * its loops and in every wait, for a client's command in whatever state, too.
 * It has no place for modules there.  But the messages of parallel workers are
 * announced by a flag and a signal that any process may set and send, whether
 * there are workers or not, and the function that it then calls works in a
 * context of its own, which it resets when it begins and when it is done.  So
 * a sentinel in that context is called, inside PostgreSQL's
 * CHECK_FOR_INTERRUPTS() and with further interrupts held.
 *
 * The flag is still up when the function begins and down when it is done.  We
 * act when it is done, so an error of ours cannot keep a message from being
 * read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat/compat.h"
#include "compat/interrupt.h"
#include "compat/sentinel.h"

#define MAX_SERVERS 8

static InterruptServer servers[MAX_SERVERS];
static int	nservers = 0;

static void interrupted(void *watched);
static Sentinel sentinel = {.act = interrupted};

static void
interrupted(void *watched)
{
	sentinel_post(&sentinel, watched);
	if (ParallelMessagePending)
		return;
	for (int i = 0; i < nservers; i++)
		servers[i] ();
}

/* The context that the function for messages works in, which it makes at its first call. */
static MemoryContext
find_context(void)
{
	MemoryContext context;

	compat_handle_messages();
	for (context = TopMemoryContext->firstchild; context != NULL; context = context->nextchild)
	{
		if (strcmp(context->name, COMPAT_MESSAGES_CONTEXT) == 0)
			return context;
	}
	elog(ERROR, "could not find memory context \"%s\"", COMPAT_MESSAGES_CONTEXT);
	return NULL;				/* keep compiler quiet */
}

/* In the postmaster, for all processes. */
void
interrupt_enter(void)
{
	sentinel_post(&sentinel, find_context());
}

/* In the postmaster: have a function called at each of our interrupts. */
void
interrupt_add_server(InterruptServer server)
{
	Assert(nservers < MAX_SERVERS);
	servers[nservers++] = server;
}

/* Have the servers of another process called. */
void
interrupt_send(const PGPROC *proc, int pid)
{
	compat_send_signal(proc, pid, PROCSIG_PARALLEL_MESSAGE);
}
