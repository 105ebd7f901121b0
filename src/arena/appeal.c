/*-------------------------------------------------------------------------
 *
 * appeal.c
 *	  Before the server's limit refuses, what others keep goes back.
 *
 * Not in an extent hook, where nothing may wait, but where the allocation has
 * come back from jemalloc without memory: all processes are asked to return
 * what they do not use, and the allocation is tried again while they do, or
 * while what the machine has is promised to somebody who perhaps does not need
 * it.  It is a short wait that cannot be interrupted, only in the place of a
 * refusal, and ends when somebody wants the statement, or the process, to end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "arena/appeal.h"
#include "arena/limit.h"
#include "compat/clock.h"
#include "compat/compat.h"
#include "server/headroom.h"
#include "server/pressure.h"

/* How long one waits at most, for answers and in all, and how often it is tried meanwhile. */
#define ANSWERS_MS 300
#define WAIT_MS 1500
#define STEP_US 5000

/* One who has asked does not ask again so soon. */
#define ASK_MS 1000

static AppealAsk ask_others;
static AppealAnswered others_answered;

static int64 begun_at;
static int64 asked_at;

/* Has all been asked, and waited for, a moment ago? */
static bool is_answered;

/* In the postmaster: who asks, and knows whether the others have answered. */
void
appeal_register(AppealAsk ask, AppealAnswered answered)
{
	ask_others = ask;
	others_answered = answered;
}

/* An allocation is about to be refused by the server's limit. */
void
appeal_begin(void)
{
	begun_at = clock_ms();
	if (ask_others == NULL || MyProc == NULL || begun_at - asked_at < ASK_MS)
		return;
	asked_at = begun_at;
	is_answered = false;
	pressure_appeal();
	ask_others();
}

/*
 * Wait a little.  Returns whether it makes sense to try again; once all have
 * answered it does once more.
 */
bool
appeal_wait(void)
{
	bool		was_answered = is_answered;
	int64		waited = clock_ms() - begun_at;

	if (QueryCancelPending || ProcDiePending || waited > WAIT_MS)
		return false;
	is_answered = ask_others == NULL || waited > ANSWERS_MS || others_answered();
	if (was_answered && !(serverlimit_is_automatic() && headroom_is_promised()))
		return false;
	pg_usleep(STEP_US);
	return true;
}
