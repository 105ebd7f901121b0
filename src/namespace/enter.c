/*-------------------------------------------------------------------------
 *
 * enter.c
 *	  Namespaces begin: their settings, their memory, and who there is at first.
 *
 * This is the only file that knows all others of namespace/, and what is below.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "miscadmin.h"
#include "utils/guc.h"

#include "compat/compat.h"
#include "compat/shmem.h"
#include "keeper/keeper.h"
#include "namespace/context.h"
#include "namespace/enter.h"
#include "namespace/initial.h"
#include "namespace/magazine.h"
#include "namespace/namespace.h"
#include "shared/counts.h"
#include "shared/depot.h"
#include "shared/directory.h"
#include "shared/failpoint.h"
#include "shared/region.h"
#include "shared/request.h"

#define TRANCHE_NAME "jemctx_namespace"

#define DEFAULT_MEMORY (1024 * 1024)
#define MAX_MEMORY INT_MAX

/* Less has no room for what even an empty namespace begins with. */
#define LEAST_MEMORY 64
#define LEAST_MEMORY_DETAIL "It must be 0, or at least 64 kB."
#define LEAST_MEMORY_HINT \
	"It is address space, and takes memory as it is used: the default does no harm."

/*
 * Shared memory
 */

static Size
control_size(void)
{
	return sizeof(NamespaceControl);
}

static void
init_slot(Namespace *space, int slot)
{
	space->slot = slot;
	pg_atomic_init_u64(&space->edition, NEXT_GENERATION(0));
	pg_atomic_init_u64(&space->limit, 0);
	pg_atomic_init_u64(&space->root, 0);
	pg_atomic_init_u64(&space->committed, 0);
	pg_atomic_init_u64(&space->reserved, 0);
	pg_atomic_init_u64(&space->refused, 0);
	depot_init(space, control->tranche);
}

/* Of all namespaces: there are none yet. */
static void
init_control(void)
{
	memset(control, 0, sizeof(*control));
	control->tranche = compat_new_tranche(TRANCHE_NAME);
	LWLockInitialize(&control->lock, control->tranche);
	pg_atomic_init_u32(&control->state, KEEPER_STARTING);
	pg_atomic_init_u32(&control->keeper_sleeps, 0);
	pg_atomic_init_u64(&control->committed, 0);
	failpoint_init();
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

/* Nobody is to miss, without a word, what the configuration asks for. */
static void
warn_if_wanted(KeeperState state)
{
	const char *hint;
	const char *detail = control_problem(state, &hint);

	if (state != KEEPER_NO_MAPPING && initial_count() == 0)
		return;
	ereport(WARNING,
			(state == KEEPER_NO_MAPPING ? errmsg("namespaces are not available: %m") :
			 errmsg("namespaces are not available"),
			 errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}

/* The namespaces of the setting. */
static void
make_initial(void)
{
	const char *name;
	Size		size_limit;
	uint64		edition;
	bool		exists;

	initial_rewind();
	while (initial_next(&name, &size_limit))
		(void) directory_add(name, size_limit, &edition, &exists);
}

/* In the postmaster, at its start and again after a crash. */
static void
start(void)
{
	KeeperState state;

	init_control();
	state = first_state();
	pg_atomic_write_u32(&control->state, state);
	if (state == KEEPER_STARTING)
	{
		namespace_context_start();
		make_initial();
	}
	else
		warn_if_wanted(state);
}

/*
 * The setting
 */

static bool
memory_suffices(int kilobytes)
{
	return kilobytes == 0 || kilobytes >= LEAST_MEMORY;
}

/* Not while the server starts, when PostgreSQL would go on with the default: see initial.c. */
static bool
check_memory(int *newval, void **extra, GucSource source)
{
	if (process_shared_preload_libraries_in_progress || memory_suffices(*newval))
		return true;
	GUC_check_errdetail(LEAST_MEMORY_DETAIL);
	GUC_check_errhint(LEAST_MEMORY_HINT);
	return false;
}

/* In the postmaster, after context_enter(). */
void
namespace_enter(void)
{
	DefineCustomIntVariable("jemctx.namespace_memory",
							"Sets the size of the shared region that namespaces have their "
							"memory from.",
							"It is address space, and takes memory as it is used. 0 is for no "
							"namespaces.",
							&namespace_memory, DEFAULT_MEMORY, 0, MAX_MEMORY,
							PGC_POSTMASTER, GUC_UNIT_KB, check_memory, NULL, NULL);
	if (!memory_suffices(namespace_memory))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for parameter \"%s\": %d kB",
						"jemctx.namespace_memory", namespace_memory),
				 errdetail(LEAST_MEMORY_DETAIL),
				 errhint(LEAST_MEMORY_HINT)));
	initial_enter();
	sizes_enter();
	magazine_enter();
	if (namespace_memory > 0)
		keeper_register();
	request_enter();
	shmem_add("jemctx namespaces", (void **) &control, control_size, start);
}
