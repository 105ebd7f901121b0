/*-------------------------------------------------------------------------
 *
 * keeper.c
 *	  The process that owns the arenas of all namespaces.
 *
 * jemalloc's bookkeeping is private to a process, so one process calls it for
 * all: it puts slabs into the depots' stocks, ahead of demand where it can,
 * takes back what is too much, and purges.  It works when it is asked and by
 * a clock of its own, which stands still while nothing happens.
 *
 * Its end loses that bookkeeping while others hold pointers into the region.
 * So unless the postmaster has told it to stop, it ends in a way that makes
 * the postmaster start all of the server's shared memory over.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>
#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/bgworker_internals.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/pmsignal.h"
#include "storage/procsignal.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "namespace/depot.h"
#include "namespace/extents.h"
#include "namespace/faults.h"
#include "namespace/keeper.h"
#include "namespace/magazine.h"
#include "namespace/namespace.h"
#include "namespace/region.h"
#include "namespace/request.h"

#define KEEPER_NAME "jemctx keeper"
#define RESTART_SECONDS 1

#define TICK_MS 100

/* A wake-up that comes as it falls asleep may be missed, for so long. */
#define SLEEP_MS 10000

/* Ticks without anything to do after which the clock stands still. */
#define QUIET_TICKS 30

/* Ticks for which a process's magazines stand still before they are asked for. */
#define SHELF_TICKS 5

/* Slabs in the stock of a namespace in use, of each kind: at least, and at first. */
#define LEAST_STOCK 8
#define FIRST_STOCK 64

/* The stock of each kind is at most this part of what a namespace holds, and of what it may hold. */
#define HELD_PART 24
#define STOCK_PART 64

/* Slabs allocated before those who wait are looked after again. */
#define BATCH 64

/* Dirty pages are purged when they are this part of a namespace, or when it is quiet. */
#define DIRTY_PART 32
#define DIRTY_LEAST ((Size) 1024 * 1024)
#define PURGE_TICKS 5

static volatile sig_atomic_t stop_requested;

/* Ticks since pages were last asked of each namespace. */
static uint32 quiet[NAMESPACE_SLOTS];

/* Somebody but the postmaster may not end it: others hold pointers. */
static void
handle_sigterm(int signal, siginfo_t *info, void *context)
{
	int			saved = errno;

	if (info->si_pid == PostmasterPid)
		stop_requested = true;
	SetLatch(MyLatch);
	errno = saved;
}

/* Whatever ends it but the postmaster is a crash of the server. */
static void
die_with_server(int code, Datum arg)
{
	if (!stop_requested && PostmasterIsAlive())
		_exit(2);
}

/*
 * Stock
 */

/*
 * Have slabs allocated, so many or a batch of them, and put them into the
 * stock.  Returns how many.
 */
static uint32
add_slabs(Namespace *space, SlabKind kind, uint32 wanted)
{
	uint32		first = NO_PAGE;
	uint32		last = NO_PAGE;
	uint32		count = 0;

	while (count < Min(wanted, BATCH))
	{
		uint32		page = extents_alloc(space, slab_pages(kind), false);

		if (page == NO_PAGE)
			break;
		if (first == NO_PAGE)
			first = page;
		else
			page_slabs[last].next = page;
		last = page;
		count++;
	}
	if (count > 0)
		depot_stock(space, kind, first, last, count);
	FAULT_POINT(DIE_KEEPER);
	return count;
}

/* Take slabs back until so many are left. */
static void
remove_slabs(Namespace *space, SlabKind kind, uint32 keep)
{
	uint32		page = depot_unstock(space, kind, keep);

	while (page != NO_PAGE)
	{
		uint32		next = page_slabs[page].next;

		extents_free(space, page, slab_pages(kind));
		page = next;
	}
}

/* Large objects that were freed. */
static void
take_returned(Namespace *space)
{
	uint32		page = depot_returned(space);

	while (page != NO_PAGE)
	{
		uint32		next = page_slabs[page].next;

		extents_free(space, page, page_slabs[page].pages);
		page = next;
	}
}

/* Get back whatever nobody uses, as the namespace is short of memory. */
static void
squeeze(Namespace *space)
{
	take_returned(space);
	depot_tidy(space);
	for (int kind = 0; kind < SLAB_KINDS; kind++)
		remove_slabs(space, kind, 0);
	extents_purge(space);
}

/* How many slabs a stock may have: a small part of what the namespace holds, and may hold. */
static uint32
most_stock(Namespace *space, SlabKind kind)
{
	uint64		committed = pg_atomic_read_u64(&space->committed);
	uint64		bytes = Max(FIRST_STOCK * slab_bytes(kind), committed / HELD_PART);

	return Max(1, Min(bytes, namespace_limit(space) / STOCK_PART) / slab_bytes(kind));
}

/* More has been taken than expected: expect more. */
static void
raise_target(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];

	stock->target = Min(most_stock(space, kind), Max(FIRST_STOCK, stock->target * 2));
}

/* Somebody waits for slabs.  False if there are none to be had. */
static bool
fill_stock(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];

	quiet[space->slot] = 0;
	if (stock->count > 0)
		return true;			/* it was somebody else's wait */
	raise_target(space, kind);
	if (add_slabs(space, kind, stock->target) > 0)
		return true;
	squeeze(space);
	for (int other = 0; other < SLAB_KINDS; other++)
		space->stocks[other].target = 1;
	return add_slabs(space, kind, 1) > 0;
}

/*
 * Requests
 */

static void *
alloc_large(Namespace *space, Size size, bool zero)
{
	uint32		pages = extents_round((size + SIZES_PAGE - 1) / SIZES_PAGE);
	uint32		page = extents_alloc(space, pages, zero);

	if (page == NO_PAGE)
	{
		squeeze(space);
		page = extents_alloc(space, pages, zero);
	}
	if (page == NO_PAGE)
		return NULL;
	pagemap_set(page, pages, namespace_owner(space, pg_atomic_read_u64(&space->life)), CLASS_LARGE);
	page_slabs[page].pages = pages;
	depot_count_large(space, pages);
	return pagemap_address(page);
}

/* Empty a namespace; with its generation's end it is dropped. */
static void
clear_namespace(Namespace *space, bool drop)
{
	uint64		life = pg_atomic_read_u64(&space->life);

	if (drop)
		namespace_hide(space);
	depot_clear(space, drop ? NEXT_GENERATION(life) : NEXT_EDITION(life));
	extents_reset(space);
	if (drop)
		namespace_release(space);
}

static Size
purge_all(void)
{
	uint64		before = pg_atomic_read_u64(&control->committed);
	uint64		after;

	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (control->slots[slot].in_use)
			squeeze(&control->slots[slot]);
	}
	after = pg_atomic_read_u64(&control->committed);
	return before > after ? before - after : 0;
}

static void
serve(Request *request)
{
	Namespace  *space = request->space;

	if (space != NULL && pg_atomic_read_u64(&space->life) != request->life)
	{
		request->refused = true;
		return;
	}
	switch (request->kind)
	{
		case REQUEST_SLABS:
			request->refused = !fill_stock(space, request->slabs);
			break;
		case REQUEST_LARGE:
			request->object = alloc_large(space, request->size, request->zero);
			break;
		case REQUEST_RESET:
			clear_namespace(space, false);
			break;
		case REQUEST_DROP:
			clear_namespace(space, true);
			break;
		case REQUEST_PURGE:
			request->purged = purge_all();
			break;
	}
}

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
		request_finish(process, request);
		served = true;
	}
	return served;
}

static bool
fill_ahead_of(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];

	if (stock->count >= stock->target)
		return false;
	if (stock->taken > (int32) stock->target)
		raise_target(space, kind);
	return add_slabs(space, kind, stock->target - stock->count) > 0;
}

/* Fill stocks that are low, before somebody has to wait. */
static bool
fill_ahead(void)
{
	bool		filled = false;

	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		for (int kind = 0; control->slots[slot].in_use && kind < SLAB_KINDS; kind++)
			filled |= fill_ahead_of(&control->slots[slot], kind);
	}
	return filled;
}

/* Take back what is too much in a stock, now that it happens. */
static bool
trim_stock(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];

	if (stock->count < STOCK_EXCESS(stock->target))
		return false;
	remove_slabs(space, kind, stock->target);
	return true;
}

/* Pages that nobody holds are kept by jemalloc up to a small part of the namespace. */
static void
purge_excess(Namespace *space)
{
	if (extents_dirty(space) > Max(DIRTY_LEAST, pg_atomic_read_u64(&space->committed) / DIRTY_PART))
		extents_purge(space);
}

static void
trim_all(void)
{
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		Namespace  *space = &control->slots[slot];
		bool		trimmed = false;

		for (int kind = 0; space->in_use && kind < SLAB_KINDS; kind++)
			trimmed |= trim_stock(space, kind);
		if (trimmed)
			purge_excess(space);
	}
}

/*
 * The clock
 */

/* A stock that nothing was taken from is expected to be needed less. */
static bool
tick_stock(Namespace *space, SlabKind kind)
{
	Stock	   *stock = &space->stocks[kind];
	bool		used = stock->taken != 0 || stock->waited > 0;
	bool		needed = stock->taken > 0 || stock->waited > 0;

	if (!needed && stock->target > LEAST_STOCK)
		stock->target /= 2;
	stock->taken = 0;
	stock->waited = 0;
	if (stock->count > stock->target + stock->target / 2)
		remove_slabs(space, kind, stock->target);
	stock->target = Min(stock->target, most_stock(space, kind));
	return used;
}

/* Returns whether there is more to do soon. */
static bool
tick_namespace(Namespace *space)
{
	uint32	   *ticks = &quiet[space->slot];
	bool		used = false;

	take_returned(space);
	if (*ticks == PURGE_TICKS)
		depot_tidy(space);
	for (int kind = 0; kind < SLAB_KINDS; kind++)
		used |= tick_stock(space, kind);
	*ticks = used ? 0 : *ticks + 1;
	if (*ticks < PURGE_TICKS)
		purge_excess(space);
	else if (extents_dirty(space) > 0)
		extents_purge(space);
	return *ticks < QUIET_TICKS;
}

/* Ask a process for what is on its shelf, if that stands still. */
static bool
tick_shelf(int process, int slot)
{
	Shelf	   *shelf = magazine_shelf(process, slot);
	PGPROC	   *proc = GetPGProcByNumber(process);
	uint32		sum = 0;

	for (int class = 0; class < SIZES_COUNT; class++)
		sum = sum * 31 + shelf->counts[class] + shelf->returning[class];
	if (sum == 0 || proc->pid == 0 ||
		pg_atomic_read_u64(&shelf->life) != pg_atomic_read_u64(&control->slots[slot].life))
		return false;
	if (sum != pg_atomic_read_u32(&shelf->sum))
	{
		pg_atomic_write_u32(&shelf->sum, sum);
		return true;
	}
	if (pg_atomic_exchange_u32(&shelf->flush_wanted, 1) == 0 && proc->backendId != InvalidBackendId)
		SendProcSignal(proc->pid, PROCSIG_CATCHUP_INTERRUPT, proc->backendId);
	return false;
}

static bool
tick_shelves(int slot)
{
	bool		busy = false;

	for (int process = 0; process < shared_processes(); process++)
		busy |= tick_shelf(process, slot);
	return busy;
}

static bool
tick(void)
{
	static uint32 ticks;
	bool		busy = false;

	ticks++;
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		Namespace  *space = &control->slots[slot];

		if (!space->in_use)
			continue;
		busy |= tick_namespace(space);
		if (ticks % SHELF_TICKS == 0)
			busy |= tick_shelves(slot);
	}
	return busy || ticks % SHELF_TICKS != 0;
}

/*
 * The process
 */

static void
start(void)
{
	struct sigaction action = {.sa_sigaction = handle_sigterm, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	before_shmem_exit(die_with_server, 0);
	BackgroundWorkerUnblockSignals();
	if (!region_open())
		ereport(FATAL,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	control->keeper = MyProc;
	pg_write_barrier();
	pg_atomic_write_u32(&control->state, KEEPER_RUNNING);
}

/* Wait until there is something to do. */
static void
wait_for_work(bool clock_runs)
{
	pg_atomic_write_u32(&control->keeper_sleeps, !clock_runs);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | WL_TIMEOUT,
					 clock_runs ? TICK_MS : SLEEP_MS, PG_WAIT_EXTENSION);
	pg_atomic_write_u32(&control->keeper_sleeps, 0);
	ResetLatch(MyLatch);
}

void
jemctx_keeper_main(Datum arg)
{
	TimestampTz last_tick = GetCurrentTimestamp();
	bool		clock_runs = true;

	/* the postmaster, which registered us, has found no memory to keep since */
	if (pg_atomic_read_u32(&control->state) != KEEPER_STARTING)
		proc_exit(0);
	start();
	while (!stop_requested)
	{
		wait_for_work(clock_runs);
		clock_runs = true;
		while (serve_all() | fill_ahead())
			;
		trim_all();
		if (stop_requested)
			break;
		if (TimestampDifferenceExceeds(last_tick, GetCurrentTimestamp(), TICK_MS))
		{
			clock_runs = tick();
			last_tick = GetCurrentTimestamp();
		}
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
	pg_atomic_write_u32(&control->state, KEEPER_STOPPED);
	proc_exit(0);
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
	slist_iter	iter;

	slist_foreach(iter, &BackgroundWorkerList)
	{
		RegisteredBgWorker *worker = slist_container(RegisteredBgWorker, rw_lnode, iter.cur);

		if (strcmp(worker->rw_worker.bgw_name, KEEPER_NAME) == 0)
			return true;
	}
	return false;
}
