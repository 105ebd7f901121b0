/*-------------------------------------------------------------------------
 *
 * moment.c
 *	  Whether an error could be raised here and now.
 *
 * Whoever is refused memory raises an ERROR.  That ends a statement, and
 * nothing else, only at certain moments: at others it ends the session, or
 * the whole server, or leaves half done what nobody will end.  Below is the
 * list of what speaks against a refusal.  Each entry tells by a few variables
 * what PostgreSQL is doing.  It is read at a limit only.
 *
 * What is not in the list can take an error, since PostgreSQL's own code may
 * raise one at any place of it, and undoes what was done:
 *
 *	  statements, also of subtransactions, procedures, exception blocks and
 *	  parallel workers
 *	  what precedes the end of a transaction: deferred triggers, cursors WITH
 *	  HOLD, large objects, LISTEN and NOTIFY, PREPARE TRANSACTION until its
 *	  state is written
 *
 * Called from extent hooks: only reads variables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <pthread.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "replication/slot.h"
#include "storage/ipc.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "arena/moment.h"
#include "compat/client.h"
#include "compat/worker.h"
#include "server/account.h"

/* Nothing else that is done between statements needs as much at once. */
#define LARGE_MESSAGE ((Size) 1024 * 1024)

/* A child's main thread is the one that forked it. */
static pthread_t main_thread;

/* Also correct before moment_enter(), when there are no limits. */
bool
moment_in_main_thread(void)
{
	return pthread_equal(pthread_self(), main_thread) != 0;
}

static bool
in_other_thread(void)
{
	return !moment_in_main_thread();
}

/*
 * Does a walsender carry out SQL, and no command of replication?  SQL is executed
 * in a portal, which commands have none of.  Before that it is read where the
 * message is, and planned with a snapshot, as some plugins of a slot's want
 * one, too.
 */
static bool
walsender_runs_sql(void)
{
	return ActivePortal != NULL ||
		(MyReplicationSlot == NULL &&
		 (ActiveSnapshotSet() || CurrentMemoryContext == MessageContext));
}

static bool
serves_nobody(void)
{
	if (MyBackendType == B_WAL_SENDER)
		return !walsender_runs_sql();
	if (IsParallelWorker())
		return worker_leader_serves_nobody();
	return MyBackendType != B_BACKEND;
}

static bool
is_starting(void)
{
	return !IsNormalProcessingMode();
}

static bool
is_exiting(void)
{
	return proc_exit_inprogress || shmem_exit_inprogress;
}

static bool
in_critical_section(void)
{
	return CritSectionCount > 0;
}

static bool
holds_interrupts(void)
{
	return InterruptHoldoffCount > 0;
}

static bool
is_between_transactions(void)
{
	return !IsTransactionState();
}

static bool
would_exit(void)
{
	return ExitOnAnyError;
}

static bool
reports_error(void)
{
	return CurrentMemoryContext == ErrorContext;
}

/* A function that a client calls without a statement has a snapshot. */
static bool
waits_for_client(void)
{
	return !IsParallelWorker() && debug_query_string == NULL && !ActiveSnapshotSet();
}

static bool
cannot_be_undone(void)
{
	return (MyXactFlags & XACT_FLAGS_NEEDIMMEDIATECOMMIT) != 0;
}

/*
 * PostgreSQL makes room for a message of its client's.  If there is none, it
 * reads to the message's end all the same, and raises the error then.  What it
 * does beside while it waits for a message, to take note of what others have
 * changed, needs less.  Without a transaction, or in one that has failed, the
 * message may be data for a COPY that has failed, which PostgreSQL drops: an
 * error would be one more than the client expects answers.
 */
static bool
makes_room_for_message(Size bytes)
{
	return bytes > LARGE_MESSAGE && pq_is_reading_msg() && IsTransactionState() &&
		CurrentMemoryContext == MessageContext;
}

/* Where what elsewhere speaks against an error does not. */
#define AT_INTERRUPT 1
#define FOR_MESSAGE 2

typedef struct Objection
{
	bool		(*holds) (void);
	const char *reason;
	int			but;
} Objection;

static const Objection objections[] = {
	/* everything below is the main thread's; a library's other threads get what they ask for */
	{in_other_thread, "only the main thread can raise errors"},

	/*
	 * it has copies of the session's locks, files and connection, and must not act as if they were
	 * its own
	 */
	{account_is_librarys, "this is a child of a session's, which is not PostgreSQL's"},

	/*
	 * a worker would be started again and fail again, also if it was its parallel worker that
	 * failed, and so would a walsender by its receiver, while WAL piles up, unless it is SQL that
	 * fails; the server needs auxiliary processes
	 */
	{serves_nobody, "no client waits for the end of a statement here"},
	/* who cannot connect cannot look what is wrong */
	{is_starting, "the session is about to start"},
	{is_exiting, "the process exits, and what it held is given back"},
	/* an error would be a PANIC */
	{in_critical_section, "a change is being logged"},

	/*
	 * PostgreSQL itself wants no interruption: after the commit record, also of a transaction that
	 * was prepared earlier, whose locks and files belong to nobody for a while; in recovery from
	 * another error; and as long as it has a lightweight lock
	 */
	{holds_interrupts, "PostgreSQL has interrupts wait", AT_INTERRUPT},

	/*
	 * the end of a transaction or subtransaction, and what has no transaction that could be
	 * aborted
	 */
	{is_between_transactions, "no transaction is in progress", FOR_MESSAGE},
	/* notifications, to a client that may have asked for nothing */
	{would_exit, "an error would end the session"},
	{reports_error, "an error is being reported"},

	/*
	 * a transaction of PostgreSQL's own, for notifications or invalidations that others have sent
	 */
	{waits_for_client, "no statement of the client's is being executed", FOR_MESSAGE},

	/*
	 * COMMIT PREPARED, databases, tablespaces, settings of the server: done, although the
	 * statement's own transaction goes on until all hooks have returned.  They need little
	 * themselves; what does, VACUUM or REINDEX, works in transactions that follow this one
	 */
	{cannot_be_undone, "the statement does what no abort could undo"},
};

/* What speaks against an error there, or NULL. */
static const char *
find_objection(int where)
{
	for (int i = 0; i < lengthof(objections); i++)
	{
		if ((objections[i].but & where) == 0 && objections[i].holds())
			return objections[i].reason;
	}
	return NULL;
}

/*
 * Why no error could be raised here and now, for want of so many bytes; NULL if
 * one would end the statement and nothing else.
 */
const char *
moment_objection(Size bytes)
{
	return find_objection(makes_room_for_message(bytes) ? FOR_MESSAGE : 0);
}

/*
 * The same where PostgreSQL serves interrupts, which it does when it does not
 * have them wait; it has others wait for that long.
 */
const char *
moment_objection_at_interrupt(void)
{
	return find_objection(AT_INTERRUPT);
}

/* In the postmaster. */
void
moment_enter(void)
{
	main_thread = pthread_self();
}
