/*-------------------------------------------------------------------------
 *
 * idle.c
 *	  What a backend does with its unused memory while its client is silent.
 *
 * PostgreSQL waits for the client, and serves whatever comes meanwhile; we are
 * called in its interrupts.  What we need to know is when the client has its
 * answer.  That is the message that tells it that the backend is ready for the
 * next statement: the last one's memory has been freed then, whether there is
 * a transaction, a failed one, or none.  We stand in the way of that message,
 * and when it has been sent, the time in which the client is silent begins.
 * Nobody tells us when it is over, but the next statement has another start.
 *
 * When the client has been silent for jemctx.idle_purge_after we purge, and
 * after jemctx.idle_cache_after we drop caches that are too large.  A timeout
 * for each wait would cost a short statement a few per cent of its time.  So
 * there is one alarm, for whatever is next, which is on already most of the
 * time, and when it goes off, the clock tells whether it is for this wait, or
 * how much later it should have been.  All it does is to raise the interrupt.
 * What a reload changes meanwhile counts from then on, see reload.c.
 *
 * For the same reason most statements end with a glance: what there is to see
 * to takes as many cache lines as a short statement can spare, and hardly ever
 * differs from the last time.  See ends_as_before().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "arena/arena.h"
#include "arena/growth.h"
#include "arena/leeway.h"
#include "arena/limit.h"
#include "arena/overrun.h"
#include "arena/refusal.h"
#include "compat/client.h"
#include "compat/clock.h"
#include "compat/interrupt.h"
#include "policy/budget.h"
#include "policy/cache.h"
#include "policy/demand.h"
#include "policy/idle.h"
#include "policy/inherited.h"
#include "policy/others.h"
#include "policy/purge.h"
#include "policy/registry.h"
#include "policy/reload.h"
#include "server/account.h"
#include "server/pressure.h"

#define DEFAULT_PURGE_AFTER 10000
#define NEVER (-1)

/* Less than this is not worth a purge. */
#define WORTH_PURGING ((Size) 256 * 1024)

#define READY_FOR_QUERY 'Z'

/* Setting, in ms */
static int	purge_after;

static const PQcommMethods *next_methods;
static PQcommMethods our_methods;

/* There is a ReadyForQuery message that has not been flushed yet. */
static bool is_ready = false;

/* The start of the statement that the client has the answer of; and since when, by clock_ms(). */
static TimestampTz answered = DT_NOBEGIN;
static int64 idle_since;

/* Can the next statement end with a glance, if it leaves the process with so many bytes again? */
static bool is_settled = false;
static Size settled_with;

/* When the alarm goes off, by clock_ms(), if it is on. */
static TimeoutId alarm_id = MAX_TIMEOUTS;
static int64 alarm_at;

static bool
worth_purging(void)
{
	return purge_is_worth(WORTH_PURGING);
}

/* Is the client silent?  It may have sent a part of its next statement. */
static bool
is_idle(void)
{
	return answered == GetCurrentStatementStartTimestamp();
}

/* Purge, and before that shed the caches, if that may be and they are too large. */
static void
go_idle(bool may_shed)
{
	if (may_shed && cache_is_too_large())
		cache_shed();
	purge_at_rest();
}

/* How long the client is silent before the caches are shed, in ms. */
static int
shed_after(void)
{
	return Max(idle_cache_after, purge_after);
}

/* How long is it silent before there is something to do, in ms?  NEVER for nothing to do. */
static int
next_after(void)
{
	if (purge_after > 0 && worth_purging())
		return purge_after;
	return purge_after != NEVER && cache_seems_too_large() ? shed_after() : NEVER;
}

/* Set the one alarm, or set it anew; a delay that is over means at once. */
static void
set_alarm(int64 now, int64 delay)
{
	if (alarm_id == MAX_TIMEOUTS)
		alarm_id = RegisterTimeout(USER_TIMEOUT, interrupt_raise);
	alarm_at = now + delay;
	enable_timeout_after(alarm_id, (int) Max(delay, 1));
}

/*
 * The client has its answer.  See to it that the alarm goes off when it has
 * been silent for long enough, or earlier, if there is anything to do then.
 * An error turns the alarm off.
 */
static void
begin_wait(int64 now)
{
	int			after = next_after();

	if (after == NEVER)
		return;
	idle_since = now;
	if (alarm_id != MAX_TIMEOUTS && get_timeout_active(alarm_id) &&
		alarm_at <= idle_since + after)
		return;
	set_alarm(idle_since, after);
}

/*
 * The client is silent.  Do what is due, if anything is, and set the alarm for
 * what is next: a purge, and later the caches.
 */
static void
look_at_clock(void)
{
	int64		now = clock_ms();
	int64		silent = now - idle_since;
	int			after = next_after();

	if (after != NEVER && silent >= after)
	{
		go_idle(silent >= shed_after());
		after = next_after();
	}
	if (after != NEVER)
		set_alarm(now, after - silent);
}

/*
 * A walsender's one statement never ends, but it is at rest in between.  In
 * another one there are pages to return as well, when somebody needs them at
 * once.
 */
static void
answer_in_statement(RegistryEntry *entry)
{
	if (MyBackendType == B_WAL_SENDER && !IsTransactionState())
	{
		registry_take_shed(entry);
		purge_at_rest();
	}
	else if (pressure_is_appealed())
		purge_in_statement();
	else
		registry_tell_busy(entry);
}

/*
 * In an interrupt: the alarm has gone off, or another process has asked for a
 * purge, or it has nothing to do with us.
 */
static void
serve_interrupt(void)
{
	RegistryEntry *entry;

	if (answered == DT_NOBEGIN || (entry = registry_own()) == NULL)
		return;
	if (is_idle())
	{
		reload_take_note();
		if (registry_is_requested(entry))
			go_idle(registry_take_shed(entry));
		look_at_clock();
	}
	else if (registry_is_requested(entry))
		answer_in_statement(entry);
}

/* What a busy backend looks after now and then: figures for others, and limits. */
static void
look_after_others(void)
{
	if (!registry_publish_sometimes())
		return;
	if (worth_purging() && limit_is_near_for_all())
		purge_at_rest();
	pressure_attend();
}

/* The client may go on at once, but it has its answer, and there is no transaction. */
static void
shed_when_busy(void)
{
	cache_shed();
	purge_at_rest();
}

/* Do the settings leave nothing to do, or to say, at the end of each statement? */
static bool
may_settle(void)
{
	return purge_after != 0 && busy_cache_limit == NEVER && backend_memory_limit == 0 &&
		dirty_decay > 0;
}

/* Is there nothing to see to, since nothing has changed, and figures are not due? */
static bool
ends_as_before(RegistryEntry *entry, int64 now)
{
	return is_settled && may_settle() && account_committed() == settled_with &&
		refusal_is_quiet() && pressure_level() == PRESSURE_NONE &&
		!registry_is_requested(entry) && !registry_is_due(entry, now);
}

/* See to what there may be to do at the end of a statement. */
static void pg_noinline
see_to_all(RegistryEntry *entry)
{
	refusal_end();
	if (refusal_server_was_full())
		others_ask_all(true);
	inherited_return();
	if (registry_is_requested(entry))
		go_idle(registry_take_shed(entry));
	else if (purge_after == 0 && worth_purging())
		go_idle(shed_after() == 0);
	else if (cache_is_due_when_busy())
		shed_when_busy();
	else if (worth_purging() && (demand_exceeded() || budget_exceeded(entry) ||
								 limit_is_near() || pressure_level() > PRESSURE_NONE))
		purge_at_rest();
	else
		look_after_others();
	overrun_forget();
	settled_with = account_committed();
	is_settled = may_settle() && !demand_counts() && growth_is_at_ease(0) && !leeway_is_wider();
}

/* ReadyForQuery has been sent. */
static void
statement_ended(RegistryEntry *entry)
{
	int64		now = clock_ms();

	if (unlikely(!ends_as_before(entry, now) || budget_is_due(registry_tell_kept(entry), now)))
		see_to_all(entry);
	begin_wait(now);
}

/*
 * Send ReadyForQuery, and see to the end of the statement.  Before the client
 * has its answer the others have to know that we are not busy any more: it may
 * ask for a purge in another session.
 */
static int
flush_ready(RegistryEntry *entry)
{
	int			result;

	answered = GetCurrentStatementStartTimestamp();
	registry_tell_idle(entry, answered);
	result = next_methods->flush();
	if (result == 0)
		statement_ended(entry);
	return result;
}

static int
our_putmessage(char msgtype, const char *s, size_t len)
{
	if (msgtype == READY_FOR_QUERY)
		is_ready = true;
	return next_methods->putmessage(msgtype, s, len);
}

/* In place of PostgreSQL's: is it ReadyForQuery that is sent? */
static int
our_flush(void)
{
	RegistryEntry *entry;

	if (likely(!is_ready))
		return next_methods->flush();
	is_ready = false;
	entry = registry_own();
	if (entry == NULL || MyProcPort == NULL)
		return next_methods->flush();
	return flush_ready(entry);
}

/* In the postmaster; its children inherit what is set here. */
void
idle_enter(void)
{
	DefineCustomIntVariable("jemctx.idle_purge_after",
							"Sets the time after which an idle backend returns its unused memory "
							"to the system.",
							"0 returns it at the end of every statement, -1 never.",
							&purge_after, DEFAULT_PURGE_AFTER, NEVER, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	next_methods = PqCommMethods;
	our_methods = *next_methods;
	our_methods.putmessage = our_putmessage;
	our_methods.flush = our_flush;
	PqCommMethods = &our_methods;
	interrupt_add_server(serve_interrupt);
}
