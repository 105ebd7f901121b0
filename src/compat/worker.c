/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  Background workers that are registered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "postmaster/bgworker_internals.h"

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
