/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  Background workers that are registered, and parallel ones' leaders.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "postmaster/bgworker_internals.h"
#include "replication/walsender.h"
#include "storage/proc.h"
#if PG_VERSION_NUM >= 180000 && PG_VERSION_NUM < 190000
#include "replication/walsender_private.h"
#endif

#include "compat/worker.h"

/* The list of all, which is linked in both directions from 18 on. */
#if PG_VERSION_NUM >= 180000
typedef dlist_iter WorkerIter;
#define foreach_worker(iter) dlist_foreach(iter, &BackgroundWorkerList)
#define iter_worker(iter) dlist_container(RegisteredBgWorker, rw_lnode, (iter).cur)
#else
typedef slist_iter WorkerIter;
#define foreach_worker(iter) slist_foreach(iter, &BackgroundWorkerList)
#define iter_worker(iter) slist_container(RegisteredBgWorker, rw_lnode, (iter).cur)
#endif

/*
 * In the postmaster: is there one of that name?  Where it had no room it only
 * says so in its log.
 */
bool
worker_is_registered(const char *name)
{
	WorkerIter	iter;

	foreach_worker(iter)
	{
		if (strcmp(iter_worker(iter)->rw_worker.bgw_name, name) == 0)
			return true;
	}
	return false;
}

/*
 * Has it a client that waits for the end of a statement?  18 tells ordinary
 * sessions only, 19 what each is.
 */
static bool
serves_client(const PGPROC *proc)
{
#if PG_VERSION_NUM >= 190000
	return proc->backendType == B_BACKEND || proc->backendType == B_WAL_SENDER;
#elif PG_VERSION_NUM >= 180000
	for (int i = 0; i < max_wal_senders; i++)
	{
		if (WalSndCtl->walsnds[i].pid == proc->pid)
			return true;
	}
	return proc->isRegularBackend;
#else
	return !proc->isBackgroundWorker && (proc->statusFlags & PROC_IS_AUTOVACUUM) == 0;
#endif
}

/*
 * Is this a parallel worker of a process without a client?  It joins its
 * leader's group before it is connected to a database.  Reads variables: may be
 * called anywhere.
 */
bool
worker_leader_serves_nobody(void)
{
	const PGPROC *leader = MyProc != NULL ? MyProc->lockGroupLeader : NULL;

	return IsParallelWorker() && leader != NULL && !serves_client(leader);
}
