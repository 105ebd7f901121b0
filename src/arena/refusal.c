/*-------------------------------------------------------------------------
 *
 * refusal.c
 *	  When memory may be refused to this process.
 *
 * Whoever is refused memory raises an ERROR.  That ends a statement where a
 * transaction can be aborted, and the whole server anywhere else: a process
 * that the server cannot do without, a critical section, the time between the
 * commit record and the end of the commit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/memutils.h"

#include "arena/refusal.h"

/* Does this process work for a client?  One that cannot connect could not look. */
static bool
serves_client(void)
{
	return (MyBackendType == B_BACKEND && IsNormalProcessingMode()) || IsParallelWorker();
}

/*
 * Would running out of memory here and now end the statement and nothing
 * else?  Called from extent hooks: only reads variables.
 */
bool
refusal_is_safe(void)
{
	return serves_client() && IsTransactionState() && CritSectionCount == 0 &&
		!proc_exit_inprogress && CurrentMemoryContext != ErrorContext;
}
