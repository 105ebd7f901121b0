/*-------------------------------------------------------------------------
 *
 * background.c
 *	  What processes without a client do with their unused memory.
 *
 * The autovacuum launcher, logical replication workers and other background
 * workers sleep in places of their own.  What they have in common is that
 * what takes memory there happens in transactions.  So at the end of one, when
 * its memory has been freed, what is far more than the process had before is
 * given back.  Not all of them check for interrupts.  Parallel workers end soon
 * anyway.
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

#include "arena/refusal.h"
#include "compat/interrupt.h"
#include "compat/sentinel.h"
#include "policy/background.h"
#include "policy/others.h"
#include "policy/purge.h"
#include "policy/registry.h"
#include "server/pressure.h"

/* Less than this is not worth a purge. */
#define WORTH_PURGING ((Size) 4 * 1024 * 1024)

/* Is it to purge where it next checks for interrupts outside of a transaction? */
static bool is_due = false;

/* Purge between two transactions; a walsender says first that it is idle. */
static void
purge(void)
{
	RegistryEntry *entry = registry_own();

	if (MyBackendType == B_WAL_SENDER && entry != NULL)
		registry_tell_idle(entry, GetCurrentTimestamp());
	if (entry != NULL)
		registry_take_shed(entry);	/* nobody drops caches here */
	purge_at_rest();
	is_due = false;
}

static bool
is_requested(void)
{
	RegistryEntry *entry = registry_own();

	return entry != NULL && registry_is_requested(entry);
}

static void
purge_later(void)
{
	is_due = true;
	interrupt_raise();
}

/* What was below the transaction's context has been freed, and what is in it will be. */
static void
memory_freed(void *transaction_context)
{
	Size		left = MemoryContextMemAllocated(transaction_context, false);

	purge();
	if (left > WORTH_PURGING)
	{
		purge_expect_free(left);
		purge_later();
	}
}

/*
 * In the transaction's context, of which there is one at a time.  When another
 * module's callback fails at the commit, there is an abort afterwards.
 */
static Sentinel when_freed = {.act = memory_freed};

/*
 * A transaction ends.  Where there is no client, purge if that is worth it or was
 * asked for; a walsender does so when it checks for interrupts.
 */
static void
transaction_ended(XactEvent event, void *arg)
{
	if (likely(MyBackendType == B_BACKEND) || MyProc == NULL)
		return;
	if (refusal_server_was_full())
		others_ask_all(true);
	if (IsParallelWorker() || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT))
		return;
	if (!purge_is_worth(WORTH_PURGING) && !is_requested())
	{
		registry_publish_sometimes();
		return;
	}
	if (MyBackendType == B_WAL_SENDER)
		purge_later();
	else
		sentinel_post(&when_freed, TopTransactionContext);
}

/* Purge if that was put off, or if others need it at once. */
static void
serve_interrupt(void)
{
	if (is_due && !IsTransactionState())
		purge();
	else if (MyBackendType != B_BACKEND && is_requested() && pressure_is_appealed())
		purge_in_statement();
}

/* In the postmaster. */
void
background_enter(void)
{
	RegisterXactCallback(transaction_ended, NULL);
	interrupt_add_server(serve_interrupt);
}
