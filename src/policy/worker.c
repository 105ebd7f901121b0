/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  What processes without a client do with their unused memory.
 *
 * The autovacuum launcher, logical replication workers and other background
 * workers sleep in places of their own.  What they have in common is that
 * what takes memory there happens in transactions.  So at the end of one, when
 * its memory has been freed, what is far more than the process had before is
 * given back.  Parallel workers end soon anyway.
 *
 * A walsender frees the changes that it has decoded after the transaction that
 * it decodes them in; it purges where it next checks for interrupts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"

#include "arena/account.h"
#include "arena/refusal.h"
#include "compat/interrupt.h"
#include "compat/sentinel.h"
#include "policy/registry.h"
#include "policy/remote.h"
#include "policy/worker.h"

/* Less than this is not worth a purge. */
#define WORTH_PURGING ((Size) 4 * 1024 * 1024)

/* What the process has held after the last purge. */
static Size purged_to;

/* Is a walsender to purge when it is not in a transaction any more? */
static bool walsender_due = false;

static void
memory_freed(void *transaction_context)
{
	registry_purge();
	purged_to = account_committed();
	walsender_due = false;
}

/*
 * In the transaction's context, of which there is one at a time.  When another
 * module's callback fails at the commit, there is an abort afterwards.
 */
static Sentinel when_freed = {.act = memory_freed};

static void
transaction_ended(XactEvent event, void *arg)
{
	if (MyBackendType != B_BACKEND && MyProc != NULL && refusal_server_was_full())
		remote_ask_all();
	if (MyBackendType == B_BACKEND || IsParallelWorker() || MyProc == NULL ||
		(event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT))
		return;
	if (account_committed() <= purged_to + WORTH_PURGING)
	{
		registry_publish_sometimes();
		return;
	}
	if (MyBackendType == B_WAL_SENDER)
	{
		walsender_due = true;
		interrupt_raise();
	}
	else
		sentinel_post(&when_freed, TopTransactionContext);
}

static void
serve_walsender(void)
{
	if (walsender_due && !IsTransactionState())
		memory_freed(NULL);
}

/* In the postmaster. */
void
worker_enter(void)
{
	RegisterXactCallback(transaction_ended, NULL);
	interrupt_add_server(serve_walsender);
}
