/*-------------------------------------------------------------------------
 *
 * nsworkers.c
 *	  Background workers that use a namespace and run no transactions.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"

PG_FUNCTION_INFO_V1(jemctx_test_ns_worker);

extern PGDLLEXPORT void jemctx_test_ns_rest_main(Datum arg);

#define OWN 300

/* Use some objects, and then only look whether there is something to do. */
void
jemctx_test_ns_rest_main(Datum arg)
{
	JemctxNamespace *ns;
	void	   *objects[OWN];

	BackgroundWorkerUnblockSignals();
	ns = jemctx_namespace_find(MyBgworkerEntry->bgw_extra, false);
	for (int i = 0; i < OWN; i++)
		objects[i] = jemctx_namespace_allocate(ns, 100, 0);
	for (int i = 0; i < OWN; i++)
		jemctx_namespace_free(ns, objects[i]);
	while (jemctx_namespace_root(ns) == NULL)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

pid_t
start_worker(const char *name, const char *function, int flags, const char *extra, Datum argument)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | flags,
		.bgw_start_time = BgWorkerStart_ConsistentState,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_main_arg = argument,
		.bgw_notify_pid = MyProcPid,
	};
	BackgroundWorkerHandle *handle;
	pid_t		pid;

	strlcpy(worker.bgw_name, name, BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "jemctx_test", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, function, BGW_MAXLEN);
	strlcpy(worker.bgw_extra, extra, BGW_EXTRALEN);
	if (!RegisterDynamicBackgroundWorker(&worker, &handle) ||
		WaitForBackgroundWorkerStartup(handle, &pid) != BGWH_STARTED)
		elog(ERROR, "no background worker");
	return pid;
}

/* Start one; its process. */
Datum
jemctx_test_ns_worker(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(start_worker("jemctx_test namespace", "jemctx_test_ns_rest_main", 0,
								 text_to_cstring(PG_GETARG_TEXT_PP(0)), (Datum) 0));
}
