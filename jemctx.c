/*-------------------------------------------------------------------------
 *
 * jemctx.c
 *	  PostgreSQL's memory on jemalloc arenas: entry point.
 *
 * src/README.md is the map of the rooms entered here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "arena/arena.h"
#include "context/context.h"
#include "jemalloc/jemalloc.h"
#include "namespace/namespace.h"
#include "policy/policy.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static void
require_preload(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("jemctx must be loaded when the server starts"),
				 errdetail("It puts the memory of all processes of the server into arenas."),
				 errhint("Add \"jemctx\" to shared_preload_libraries and restart the server.")));
}

void
_PG_init(void)
{
	require_preload();
	jemalloc_enter();
	arena_enter();
	context_enter();
	namespace_enter();
	policy_enter();
	MarkGUCPrefixReserved("jemctx");
}
