/*-------------------------------------------------------------------------
 *
 * keeper.c
 *	  The process that has the pages of all namespaces.
 *
 * Which pages are free, and which are whose, one process knows for all: it
 * puts slabs into the depots' stocks, ahead of demand where it can, takes back
 * what is too much, and has the kernel remove it.  It works when it is asked
 * and by a clock of its own, which stands still while nothing happens; and
 * what takes long in steps, between which it looks after those who wait.
 *
 * Its end loses that bookkeeping while others hold pointers into the region.
 * So unless the postmaster has told it to stop, it ends in a way that makes
 * the postmaster start all of the server's shared memory over.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/pmsignal.h"
#include "storage/procsignal.h"
#include "utils/guc.h"

#include "compat/clock.h"
#include "compat/postmaster.h"
#include "compat/worker.h"
#include "keeper/extents.h"
#include "keeper/keeper.h"
#include "keeper/recall.h"
#include "keeper/supply.h"
#include "server/pressure.h"
#include "shared/depot.h"
#include "shared/directory.h"
#include "shared/failpoint.h"
#include "shared/request.h"

#define KEEPER_NAME "jemctx keeper"
#define RESTART_SECONDS 1

#define TICK_MS 100

/* So long it sleeps: nobody else may look whether memory is short. */
#define SLEEP_MS 2000

/* Work for one process, before others are looked after. */
#define STEP_MS 1

/*
 * How often one that is short of memory may have stocks taken back before it
 * is refused: others who are short, too, fill them.
 */
#define SQUEEZES 100

/* How soon it looks again whether the postmaster has told it to stop. */
#define LOOK_MS 20

/* After a reload others are told in so many ticks: it may reach them later than the keeper. */
#define TELL_TICKS 2

static void (*tell_reload) (void);
static int	tell_ticks;

/* The postmaster stops the server, and this is the last process but those that end after it. */
static bool stopping = false;

/* It has been told to stop, and who says so, somebody or the postmaster, is yet to be seen. */
static bool told_to_stop = false;

/* Whatever ends it but the postmaster is a crash of the server. */
static void
die_with_server(int code, Datum arg)
{
	if (!stopping && PostmasterIsAlive())
		_exit(2);
}

/*
 * Requests
 */

/* Empty a namespace; with its generation's end it is dropped.  False if it must wait. */
static bool
clear_namespace(Namespace *space, bool drop)
{
	uint64		edition = pg_atomic_read_u64(&space->edition);
	uint64		next = drop ? NEXT_GENERATION(edition) : NEXT_EDITION(edition);

	if (!extents_can_clear(space, next))
		return false;
	if (drop)
		directory_hide(space);
	depot_clear(space, next);
	extents_clear(space);
	if (drop)
		directory_remove(space);
	return true;
}

/*
 * Take back what nobody uses of a namespace, or with NULL of all; or a part of
 * it.  How many pages?
 */
static Size
squeeze(Namespace *space)
{
	Size		pages = 0;

	if (space != NULL)
		return supply_squeeze(space);
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (control->slots[slot].in_use)
			pages += supply_squeeze(&control->slots[slot]);
	}
	return pages;
}

/* Get pages back, for a while.  False if there are none. */
static bool
sweep(void)
{
	int64		since = clock_ms();
	bool		any = false;

	while (extents_sweep(true) > 0)
	{
		any = true;
		if (clock_ms() - since >= STEP_MS)
			break;
	}
	return any;
}

/* The answer to who wants memory: he has it, or may have it soon, or is refused. */
static void
answer(Request *request, ExtentsResult result)
{
	Namespace  *space = result == EXTENTS_LIMITED ? request->space : NULL;
	bool		more;

	request->limited = result == EXTENTS_LIMITED;
	if (result == EXTENTS_TAKEN)
		return;
	more = squeeze(space) > 0 && request->repeats < SQUEEZES;
	if (space == NULL)
		more |= sweep();
	request->later = !more && recall_objects(space);
	request->again = more || request->later;
	request->refused = !request->again;
}

/* Small namespaces are gone with the answer, of large ones the pages follow. */
static void
reset_or_drop(Request *request)
{
	request->again = !clear_namespace(request->space, request->kind == REQUEST_DROP);
	(void) sweep();
}

/* Take back what nobody uses of any namespace, a step of it. */
static void
purge(Request *request)
{
	uint64		before = control_committed();
	bool		squeezed = squeeze(NULL) > 0 && request->repeats < SQUEEZES;
	uint64		after;

	request->again = sweep() || squeezed;
	after = control_committed();
	request->purged = before > after ? before - after : 0;
}

/*
 * Is it about the namespace, and the contents, that are there now?  A drop is
 * for whatever contents: it would never be served among resets otherwise.
 */
static bool
is_current(const Request *request)
{
	uint64		edition = request->space ? pg_atomic_read_u64(&request->space->edition) : 0;

	if (request->kind == REQUEST_DROP)
		return GENERATION(edition) == GENERATION(request->edition);
	return edition == request->edition;
}

/* Do what is asked for, or a step of it. */
static void
serve(Request *request)
{
	Namespace  *space = request->space;

	if (!is_current(request))
	{
		request->refused = true;
		return;
	}
	switch (request->kind)
	{
		case REQUEST_SLABS:
			answer(request, supply_slabs(space, request->slabs, request->repeats > 0));
			break;
		case REQUEST_LARGE:
			answer(request, supply_large(space, request->pages, &request->object, &request->clean));
			break;
		case REQUEST_RESET:
		case REQUEST_DROP:
			reset_or_drop(request);
			break;
		case REQUEST_PURGE:
			purge(request);
			break;
	}
}

/* Serve those who wait now.  Returns whether there were any. */
static bool
serve_all(void)
{
	bool		served = false;

	for (int process = request_next(-1); process >= 0; process = request_next(process))
	{
		Request    *request = request_take(process);

		if (request == NULL)
			continue;
		serve(request);
		FAILPOINT_PAUSE(PAUSE_BEFORE_ANSWER);
		request_finish(process, request);
		served = true;
	}
	return served;
}

/*
 * The process
 */

/* From now on namespaces can be had. */
static void
start(void)
{
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	before_shmem_exit(die_with_server, 0);
	BackgroundWorkerUnblockSignals();
	if (!extents_open())
		ereport(FATAL,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	control->keeper = MyProc;
	pg_write_barrier();
	pg_atomic_write_u32(&control->state, KEEPER_RUNNING);
}

/* Wait until there is something to do, if there is nothing yet. */
static void
wait_for_work(bool busy, bool clock_runs)
{
	long		ms = busy ? 0 : told_to_stop ? LOOK_MS : clock_runs ? TICK_MS : SLEEP_MS;

	pg_atomic_write_u32(&control->keeper_sleeps, !busy && !clock_runs);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms,
					 PG_WAIT_EXTENSION);
	pg_atomic_write_u32(&control->keeper_sleeps, 0);
	ResetLatch(MyLatch);
}

/* Serve those who wait, and do a step of what is not urgent.  Returns whether there is more. */
static bool
work(void)
{
	bool		more = serve_all();

	more |= supply_ahead();
	more |= supply_trim();
	more |= extents_sweep(false) > 0;
	return more;
}

/*
 * Is it to stop?  Only when the postmaster says so, and not before the others
 * have: they may still want something.
 */
static void
look_at_postmaster(void)
{
	PostmasterIntent intent;

	if (ShutdownRequestPending)
	{
		ShutdownRequestPending = false; /* before one looks: the postmaster's may be yet to come */
		told_to_stop = true;
	}
	if (!told_to_stop)
		return;
	intent = postmaster_intent();
	told_to_stop = intent != POSTMASTER_GOES_ON;
	stopping = intent == POSTMASTER_STOPS;
}

/* At high pressure stocks shrink, by a step. */
static void
relieve(void)
{
	uint64		before = control_committed();

	pressure_attend();
	if (pressure_level() < PRESSURE_HIGH)
		return;
	(void) squeeze(NULL);
	(void) sweep();
	if (control_committed() < before)
		pressure_count(PRESSURE_TRIMS);
}

/* Settings have changed.  Returns whether others are to be told again. */
static bool
tick_reload(void)
{
	if (tell_ticks == 0 || tell_reload == NULL)
		return false;
	tell_reload();
	return --tell_ticks > 0;
}

/* By the clock; returns whether it must run on. */
static bool
tick(void)
{
	bool		more = supply_tick();

	relieve();
	more |= tick_reload();
	more |= recall_tick();
	more |= extents_tick();
	return more;
}

void
jemctx_keeper_main(Datum arg)
{
	int64		last_tick;
	bool		busy = false;
	bool		clock_runs = true;

	/* the postmaster, which registered us, has found no memory to keep since */
	if (pg_atomic_read_u32(&control->state) != KEEPER_STARTING)
		proc_exit(0);
	start();
	last_tick = clock_ms();
	while (!stopping)
	{
		wait_for_work(busy, clock_runs);
		clock_runs = true;
		busy = work();
		if (clock_ms() - last_tick >= TICK_MS)
		{
			clock_runs = tick();
			last_tick = clock_ms();
		}
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			tell_ticks = TELL_TICKS;
		}
		look_at_postmaster();
	}
	pg_atomic_write_u32(&control->state, KEEPER_STOPPED);
	proc_exit(0);
}

/* In the postmaster: say what the keeper is to do after a reload. */
void
keeper_at_reload(void (*tell) (void))
{
	tell_reload = tell;
}

/* In the postmaster, while it loads libraries. */
void
keeper_register(void)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS,
		.bgw_start_time = BgWorkerStart_PostmasterStart,
		.bgw_restart_time = RESTART_SECONDS,
	};

	strlcpy(worker.bgw_name, KEEPER_NAME, BGW_MAXLEN);
	strlcpy(worker.bgw_type, KEEPER_NAME, BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "jemctx", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "jemctx_keeper_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

/* Was there room for it?  The postmaster only says so in its log. */
bool
keeper_is_registered(void)
{
	return worker_is_registered(KEEPER_NAME);
}
