/*-------------------------------------------------------------------------
 *
 * control.c
 *	  What the processes of the server share about namespaces.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shmem.h"

#include "jemalloc/jemalloc.h"
#include "keeper/keeper.h"
#include "namespace/initial.h"
#include "namespace/namespace.h"
#include "shared/counts.h"
#include "shared/depot.h"
#include "shared/failpoint.h"
#include "shared/pagemap.h"
#include "shared/region.h"
#include "shared/request.h"

#define TRANCHE_NAME "jemctx_namespace"

/* How long a process waits for the keeper to start. */
#define START_MS 10000
#define START_LOOK_MS 10

NamespaceControl *control;

static shmem_request_hook_type next_request_hook;
static shmem_startup_hook_type next_startup_hook;

static void
request_memory(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(sizeof(NamespaceControl));
	RequestAddinShmemSpace(request_shmem_size());
}

static void
init_slot(Namespace *space, int slot)
{
	space->slot = slot;
	pg_atomic_init_u64(&space->life, NEXT_GENERATION(0));
	pg_atomic_init_u64(&space->limit, 0);
	pg_atomic_init_u64(&space->root, 0);
	pg_atomic_init_u64(&space->committed, 0);
	pg_atomic_init_u64(&space->reserved, 0);
	pg_atomic_init_u64(&space->refused, 0);
	depot_init(space, control->tranche);
}

static void
init_control(void)
{
	memset(control, 0, sizeof(*control));
	control->tranche = LWLockNewTrancheId();
	LWLockInitialize(&control->lock, control->tranche);
	pg_atomic_init_u32(&control->state, KEEPER_STARTING);
	pg_atomic_init_u32(&control->keeper_sleeps, 0);
	pg_atomic_init_u64(&control->committed, 0);
	fault_init();
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
		init_slot(&control->slots[slot], slot);
}

/* The memory beside PostgreSQL's, without contents. */
static bool
map_memory(void)
{
	if (region_map() && pagemap_map() && counts_map())
		return true;
	region_unmap();
	return false;
}

/* Can there be namespaces in this server? */
static KeeperState
first_state(void)
{
	if (namespace_memory == 0)
		return KEEPER_NO_REGION;
	if (sysconf(_SC_PAGESIZE) != SIZES_PAGE)
		return KEEPER_OTHER_PAGES;
	if (!IsPostmasterEnvironment)
		return KEEPER_STANDALONE;
	if (!keeper_is_registered())
		return KEEPER_NO_SLOT;
	if (!map_memory())
		return KEEPER_NO_MAPPING;
	return KEEPER_STARTING;
}

/* Why there are no namespaces in this state, and what to do about it; NULL if there are. */
static const char *
why_not(KeeperState state, const char **hint)
{
	*hint = NULL;
	switch (state)
	{
		case KEEPER_RUNNING:
			return NULL;
		case KEEPER_STARTING:
			*hint = "The server's log may say why.";
			return "The keeper, a background worker, does not start.";
		case KEEPER_STOPPED:
			return "The server is shutting down.";
		case KEEPER_NO_SLOT:
			*hint = "Increase max_worker_processes.";
			return "No background worker was free for the keeper.";
		case KEEPER_STANDALONE:
			return "A standalone backend has no background workers.";
		case KEEPER_NO_REGION:
			*hint = "Set jemctx.namespace_memory.";
			return "They have no memory.";
		case KEEPER_OTHER_PAGES:
			return "The system's pages are not of 4 kB.";
		case KEEPER_NO_MAPPING:
			*hint = "Lower jemctx.namespace_memory, or set it to 0.";
			return "The kernel refused to map their memory when the server started.";
	}
	return NULL;				/* keep compiler quiet */
}

/* Nobody is to miss, without a word, what the configuration asks for. */
static void
warn_if_wanted(KeeperState state)
{
	const char *hint;
	const char *detail = why_not(state, &hint);

	if (state != KEEPER_NO_MAPPING && initial_count() == 0)
		return;
	ereport(WARNING,
			(state == KEEPER_NO_MAPPING ? errmsg("namespaces are not available: %m") : errmsg("namespaces are not available"),
			 errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}

/* In the postmaster, at its start and again after a crash. */
static void
start_memory(void)
{
	bool		found;
	KeeperState state;

	if (next_startup_hook)
		next_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	control = ShmemInitStruct("jemctx namespaces", sizeof(NamespaceControl), &found);
	if (!found)
		init_control();
	request_shmem_init(found);
	LWLockRelease(AddinShmemInitLock);
	LWLockRegisterTranche(control->tranche, TRANCHE_NAME);
	state = first_state();
	pg_atomic_write_u32(&control->state, state);
	if (state == KEEPER_STARTING)
		namespace_start();
	else
		warn_if_wanted(state);
}

void
shared_enter(void)
{
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_memory;
}

static void
unavailable(const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("namespaces are not available"),
			 errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}

/* The keeper starts with the server; wait for it for a while. */
static void
wait_for_start(void)
{
	for (int waited = 0; waited < START_MS; waited += START_LOOK_MS)
	{
		if (pg_atomic_read_u32(&control->state) != KEEPER_STARTING)
			return;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 START_LOOK_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Raise an ERROR that says why, unless there can be namespaces. */
void
shared_require(void)
{
	const char *detail;
	const char *hint;

	jemalloc_require();
	if (control == NULL || MyProc == NULL)
		unavailable("This process has no part in the server's shared memory.", NULL);
	if (pg_atomic_read_u32(&control->state) == KEEPER_STARTING)
		wait_for_start();
	detail = why_not(pg_atomic_read_u32(&control->state), &hint);
	if (detail != NULL)
		unavailable(detail, hint);
}
