/*-------------------------------------------------------------------------
 *
 * overrun.c
 *	  What is granted beyond a limit, and what becomes of the statement.
 *
 * Whoever calls palloc knows that it may not return.  A library that is
 * refused memory may instead abort, and with it the server; or go on with
 * less, and PostgreSQL with another result; or be broken from then on.  So a
 * library gets what it asks for when a limit is met, up to
 * jemctx.library_headroom beyond, and the statement owes an error.  It is
 * raised where PostgreSQL next comes by: when PostgreSQL itself asks for much,
 * which the limit refuses, or at its next check for interrupts.
 *
 * PostgreSQL itself is lent what is small, also beyond what a library has got:
 * it may be called by that library, or be in the middle of something.
 *
 * A statement that has ended before PostgreSQL came by has succeeded.  If the
 * library keeps what it has got, the next ones can go on as long as they need
 * no more memory.
 *
 * Beyond the headroom a library that copes with it gets NULL.  With any other
 * on the stack there is no way back into the session, and no way forward, so
 * the session ends; and where even that cannot be, the library gets it all,
 * as it does where an error could not be raised (see moment.c).
 *
 * All this is the main thread's; the other ones of a library get all they want.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/elog.h"
#include "utils/memutils.h"

#include "arena/caller.h"
#include "arena/limit.h"
#include "arena/overrun.h"
#include "arena/refusal.h"
#include "arena/scarcity.h"
#include "arena/unused.h"
#include "compat/client.h"
#include "compat/interrupt.h"
#include "server/account.h"

#define KB ((Size) 1024)

/* What the statement has to be ended for, where that can be done. */
static Refusal debt;
static bool is_owed;

/* Which library has passed a limit, "" for none, for as long as the limit is passed. */
static char debtor[NAMEDATALEN];

/* PostgreSQL's is no library. */
static void
owe(const Refusal *refusal, const char *library)
{
	if (!is_owed || (debtor[0] == '\0' && library != NULL))
	{
		debt = *refusal;
		is_owed = true;
		if (library != NULL)
			strlcpy(debtor, library, sizeof(debtor));
	}
	interrupt_leave_pending();
}

/* The limit is not passed any more. */
static void
forget_library(void)
{
	debtor[0] = '\0';
	leeway_forget_libraries();
}

/*
 * Can the session end here, in the middle of a library?  It could raise an
 * error, or nothing would have been refused.  But while a message of the client's
 * comes in, the library may be the one through which the client would be told.
 */
static bool
can_end(void)
{
	return QueryCancelHoldoffCount == 0;
}

/* Depth first; NULL after the last one. */
static MemoryContext
next_context(MemoryContext context)
{
	if (context->firstchild)
		return context->firstchild;
	while (context && context->nextchild == NULL)
		context = context->parent;
	return context ? context->nextchild : NULL;
}

/* The library is in no state to clean up anything that goes with a memory context. */
static void
drop_library_callbacks(void)
{
	for (MemoryContext context = TopMemoryContext; context; context = next_context(context))
	{
		MemoryContextCallback **link = &context->reset_cbs;

		while (*link)
		{
			const void *function = (const void *) (*link)->func;

			if (caller_is_postgres(function) || caller_is_ours(function))
				link = &(*link)->next;
			else
				*link = (*link)->next;
		}
	}
}

/*
 * What is registered before this, and with atexit(), may be the library's, or of
 * no use to a process that ends.
 */
static void
leave(int code, Datum arg)
{
	client_log_disconnection();
	_exit(code);
}

/*
 * End the session as FATAL does it, and leave before a library's own code for
 * the end of a process would run.
 *
 * What modules have registered for the end of a transaction does run, since it
 * may give back what is shared.  Of PostgreSQL's own, that is postgres_fdw's,
 * which uses libpq, and no session ends in the middle of that (see caller.c).
 * It may in OpenSSL below libpq: then the abort that it sends fails, or it
 * gives up on the answer after 30 seconds as for a server that is gone.  JIT's
 * provider does nothing any more in a process that exits.
 */
static void pg_noinline
end_session(const Refusal *refusal, const Attempt *attempt)
{
	refusal_stop();
	refusal_count(refusal);
	drop_library_callbacks();
	error_context_stack = NULL;
	on_proc_exit(leave, 0);
	ereport(FATAL,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("%s holds %zu kB and may have %zu kB, and %s asked for more than the %zu kB "
					   "that libraries may have beyond that.",
					   refusal->holder, refusal->held / KB, refusal->limit / KB,
					   caller_library(attempt->caller), leeway_headroom() / KB),
			 errhint("%s Or raise \"jemctx.library_headroom\".", refusal->advice)));
}

/*
 * An allocation has been refused to a library: make it nevertheless.  NULL if
 * that is what the library gets.  libc may ask for PostgreSQL, so it may also
 * have what PostgreSQL may.
 */
void *
overrun_grant(const Attempt *attempt)
{
	Refusal		refusal = *refusal_noted();
	void	   *object = leeway_make(attempt, LEEWAY_LIBRARY);

	if (object == NULL && refusal_noted() && caller_is_libc(attempt->caller))
		object = leeway_make(attempt, LEEWAY_SMALL);
	if (object == NULL && refusal_noted())
	{
		refusal = *refusal_noted();
		if (caller_copes(attempt->caller))
			refusal_deny(NULL);
		else if (can_end())
			end_session(&refusal, attempt);
		else
			object = leeway_make(attempt, LEEWAY_ANY);
	}
	if (object != NULL && leeway_was_used())
		owe(&refusal, caller_library(attempt->caller));
	return object;
}

/* The library that has passed a limit, or NULL. */
static const char *
library_in_debt(void)
{
	return debtor[0] != '\0' ? debtor : NULL;
}

/* The same for PostgreSQL itself, which gets NULL for what is not small. */
void *
overrun_lend(const Attempt *attempt)
{
	Refusal		refusal = *refusal_noted();
	void	   *object = leeway_make(attempt, LEEWAY_SMALL);

	if (object == NULL && refusal_noted())
		refusal_deny(library_in_debt());
	if (object != NULL && leeway_was_used())
	{
		scarcity_grant(attempt->size);
		owe(&refusal, NULL);
	}
	return object;
}

/* Is there still more than there may be, once what is not needed is given back? */
static bool
is_beyond(void)
{
	if (scarcity_has_refused())
		return true;
	if (!limit_is_passed())
		return false;
	unused_purge();
	return limit_is_passed();
}

/*
 * PostgreSQL has come by, at a check for interrupts: if the statement owes an
 * error raise it, or come again where that can be done.
 */
static void
collect(void)
{
	Refusal		refusal = debt;

	if (!is_owed)
		return;
	if (!refusal_is_safe_at_interrupt() || QueryCancelHoldoffCount != 0)
	{
		interrupt_leave_pending();
		return;
	}
	is_owed = false;
	if (!is_beyond())
	{
		forget_library();
		return;
	}
	refusal_count(&refusal);
	if (debtor[0] == '\0')
	{
		refusal_explain(&refusal);
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("%s holds %zu kB, which %s has needed, and may have %zu kB.", refusal.holder,
					   (refusal.by_server ? account_server() : account_committed()) / KB, debtor,
					   refusal.limit / KB),
			 errhint("%s", refusal.advice)));
}

/*
 * An error may have been caught, and what follows is to meet the limit again:
 * what a library has returned since, still beyond it, could be used without
 * being asked for.
 */
static void
at_subxact_start(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_START_SUB && unlikely(leeway_is_wider()) && !is_beyond())
		forget_library();
}

/* The statement is over, and what it did not use given back if the limit is near. */
void
overrun_forget(void)
{
	is_owed = false;
	if (unlikely(leeway_is_wider()) && !limit_is_passed())
		forget_library();
}

/* In the postmaster. */
void
overrun_enter(void)
{
	caller_enter();
	interrupt_add_server(collect);
	RegisterSubXactCallback(at_subxact_start, NULL);
}
