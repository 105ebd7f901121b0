/*-------------------------------------------------------------------------
 *
 * enter.c
 *	  The room of this process's arenas is entered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/adopt.h"
#include "arena/arena.h"
#include "arena/enter.h"
#include "arena/hooks.h"
#include "arena/leeway.h"
#include "arena/limit.h"
#include "arena/moment.h"
#include "arena/overrun.h"
#include "arena/python.h"
#include "arena/quarantine.h"
#include "arena/scarcity.h"
#include "arena/usage.h"
#include "jemalloc/fork.h"

/* In the postmaster, after jemalloc_enter(). */
void
arena_enter(void)
{
	limit_enter();
	moment_enter();
	leeway_enter();
	overrun_enter();
	hooks_enter();
	scarcity_enter();
	arena_prepare();
	adopt_process_arenas();
	if (fork_is_cheap())
		arena_open(&persistent_arena);
	usage_enter();
	quarantine_enter();
	python_enter();
}
