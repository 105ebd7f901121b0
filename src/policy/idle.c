/*-------------------------------------------------------------------------
 *
 * idle.c
 *	  What a backend does with its unused memory while its client is silent.
 *
 * When a backend tells its client that it is ready for the next statement,
 * the last one's memory has been freed, and nothing of ours can be in the
 * way: whether it is in a transaction, in a failed one, or in none.  So we
 * stand in the way of that message and, when it has been sent, wait for the
 * client ourselves, as secure_read() would do next, on the same event set.
 * When it has been silent for jemctx.idle_purge_after we purge, and go on
 * waiting.
 *
 * What else wakes a backend is served as PostgreSQL does it there, or left to
 * it: interrupts that end the session or cancel a statement take us out of
 * the way.  If there is another statement to come, the backend waits for it
 * in PostgreSQL's own place, and only the transaction that a catchup interrupt
 * starts gives us control.
 *
 * A timeout for each wait would cost a short statement a few per cent of its
 * time.  So there is an alarm, a few times in that period, and when the same
 * wait has seen so many it has been long enough.  Nothing else is done in
 * signal handlers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/async.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/sinval.h"
#include "utils/guc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "arena/account.h"
#include "arena/limit.h"
#include "arena/refusal.h"
#include "compat/client.h"
#include "policy/cache.h"
#include "policy/demand.h"
#include "policy/idle.h"
#include "policy/registry.h"
#include "policy/remote.h"
#include "policy/worker.h"

#define DEFAULT_PURGE_AFTER 10000
#define NEVER (-1)

/* Alarms in the time after which a backend purges, which is exact to one of them. */
#define ALARMS 4

/* Less than this is not worth a purge. */
#define WORTH_PURGING ((Size) 256 * 1024)

/* The status that ReadyForQuery has outside of a transaction. */
#define OUTSIDE_TRANSACTION 'I'

#define READY_FOR_QUERY 'Z'

/* Setting, in ms */
static int	purge_after;

static const PQcommMethods *next_methods;
static PQcommMethods our_methods;

/* The status of a ReadyForQuery message that has not been flushed yet, or 0. */
static char ready_status;

/* What the process has held after the last purge. */
static Size purged_to;

/* The alarm: with what setting it is on, and has it gone off? */
static TimeoutId alarm_id = MAX_TIMEOUTS;
static int	alarm_set_for;
static volatile sig_atomic_t alarm_rang = false;

/* When PostgreSQL waits for the client itself: the start of the last statement. */
static TimestampTz left_after;

static bool
worth_purging(void)
{
	return account_committed() > purged_to + WORTH_PURGING;
}

static void
purge(void)
{
	registry_purge();
	purged_to = account_committed();
}

/* The client has been silent for long enough. */
static void
go_idle(char status)
{
	if (status == OUTSIDE_TRANSACTION)
		cache_shed();
	purge();
}

/* Has another process asked for a purge? */
static bool
is_requested(RegistryEntry *entry)
{
	return pg_atomic_read_u32(&entry->requests) != pg_atomic_read_u32(&entry->answers);
}

/*
 * Change what others see us do.  Whoever asks for a purge counts the request
 * and then reads the state, we write the state and then read the count: either
 * they see the new state or we see the request, which the old one promised an
 * answer.
 */
static void
change_state(RegistryEntry *entry, RegistryState state)
{
	if (pg_atomic_exchange_u32(&entry->state, state) != REGISTRY_BUSY && is_requested(entry))
		purge();
}

/*
 * Interrupts that end the session, or that PostgreSQL treats in another way
 * while it knows that it is reading a command.
 */
static bool
is_for_postgres(void)
{
	return ProcDiePending || QueryCancelPending || CheckClientConnectionPending || ClientConnectionLost ||
		IdleInTransactionSessionTimeoutPending || IdleSessionTimeoutPending;
}

/*
 * Do what ProcessClientReadInterrupt() does.  Returns false when PostgreSQL has
 * to do it itself.
 */
static bool
serve_interrupts(void)
{
	if (InterruptPending && is_for_postgres())
		return false;
	if (IdleStatsUpdateTimeoutPending && !IsTransactionOrTransactionBlock())
	{
		IdleStatsUpdateTimeoutPending = false;
		pgstat_report_stat(true);
	}
	CHECK_FOR_INTERRUPTS();
	if (catchupInterruptPending)
		ProcessCatchupInterrupt();
	if (notifyInterruptPending)
		ProcessNotifyInterrupt(true);
	return true;
}

static void
ring_alarm(void)
{
	alarm_rang = true;			/* the latch is set already */
}

/*
 * Have the alarm on, if there is anything to purge later.  Most of the time it
 * still is; an error turns it off.
 */
static void
set_alarm(void)
{
	if (purge_after <= 0 || !worth_purging())
		return;
	if (alarm_id == MAX_TIMEOUTS)
		alarm_id = RegisterTimeout(USER_TIMEOUT, ring_alarm);
	if (likely(get_timeout_active(alarm_id) && alarm_set_for == purge_after))
		return;
	alarm_rang = false;
	alarm_set_for = purge_after;
	enable_timeout_after(alarm_id, Max(purge_after / ALARMS, 1));
}

/* Wait for the client's next message, or an interrupt that PostgreSQL has to serve. */
static void
wait_for_client(RegistryEntry *entry, char status)
{
	int			alarms = 0;
	WaitEvent	event;

	alarm_rang = false;
	for (;;)
	{
		if (unlikely(is_requested(entry)))
			go_idle(status);
		set_alarm();
		ModifyWaitEvent(FeBeWaitSet, FeBeWaitSetSocketPos, WL_SOCKET_READABLE, NULL);
		WaitEventSetWait(FeBeWaitSet, -1L, &event, 1, WAIT_EVENT_CLIENT_READ);
		if (!(event.events & WL_LATCH_SET))
			return;
		ResetLatch(MyLatch);
		if (alarm_rang)
		{
			/* the first one was set before this wait began */
			alarm_rang = false;
			if (alarms++ == ALARMS && worth_purging())
				go_idle(status);
		}
		if (!serve_interrupts())
			break;
	}

	/* we may not come back, so what was to be done later is done now */
	if (purge_after > 0 && worth_purging() && !ProcDiePending)
		go_idle(status);
	left_after = GetCurrentStatementStartTimestamp();
	change_state(entry, REGISTRY_LEFT);
	SetLatch(MyLatch);
}

/* What a busy backend looks after now and then: figures for others, and limits. */
static void
look_after_others(void)
{
	if (registry_publish_sometimes() && worth_purging() && limit_is_near_for_all())
		purge();
}

/* ReadyForQuery has been sent. */
static void
statement_ended(RegistryEntry *entry, char status)
{
	bool		hidden = client_is_hidden();

	refusal_forget();
	if (refusal_server_was_full())
		remote_ask_all();
	if ((purge_after == 0 || (purge_after > 0 && hidden)) && worth_purging())
		go_idle(status);
	else if (is_requested(entry) || (worth_purging() && (demand_exceeded() || limit_is_near())))
		purge();
	else
		look_after_others();
	if (!hidden && !client_has_sent())
		wait_for_client(entry, status);
}

/*
 * Send ReadyForQuery, and see to the end of the statement.  Before the client
 * has its answer the others have to know that we are not busy any more: it may
 * ask for a purge in another session.
 */
static int
flush_ready(RegistryEntry *entry, char status)
{
	int			result;

	if (!client_is_hidden())
		change_state(entry, REGISTRY_WAITING);
	result = next_methods->flush();
	if (result == 0)
		statement_ended(entry, status);
	if (pg_atomic_read_u32(&entry->state) == REGISTRY_WAITING)
		change_state(entry, REGISTRY_BUSY);
	return result;
}

static int
our_putmessage(char msgtype, const char *s, size_t len)
{
	if (msgtype == READY_FOR_QUERY && len > 0)
		ready_status = s[0];
	return next_methods->putmessage(msgtype, s, len);
}

static int
our_flush(void)
{
	char		status = ready_status;
	RegistryEntry *entry;

	if (likely(status == 0))
		return next_methods->flush();
	ready_status = 0;
	entry = registry_own();
	if (entry == NULL || MyProcPort == NULL)
		return next_methods->flush();
	return flush_ready(entry, status);
}

static int
our_flush_if_writable(void)
{
	worker_flushes();
	return next_methods->flush_if_writable();
}

/* The transaction that a catchup interrupt has started, in PostgreSQL's wait. */
static void
transaction_ended(XactEvent event, void *arg)
{
	RegistryEntry *entry;

	if (event != XACT_EVENT_COMMIT || left_after == 0 ||
		left_after != GetCurrentStatementStartTimestamp())
		return;
	entry = registry_own();
	if (entry != NULL && is_requested(entry))
		purge();
}

/* In the postmaster; its children inherit what is set here. */
void
idle_enter(void)
{
	DefineCustomIntVariable("jemctx.idle_purge_after",
							"Sets the time after which an idle backend returns its unused memory.",
							"0 returns it at the end of every statement, -1 never.",
							&purge_after, DEFAULT_PURGE_AFTER, NEVER, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	next_methods = PqCommMethods;
	our_methods = *next_methods;
	our_methods.putmessage = our_putmessage;
	our_methods.flush = our_flush;
	our_methods.flush_if_writable = our_flush_if_writable;
	PqCommMethods = &our_methods;
	RegisterXactCallback(transaction_ended, NULL);
}
