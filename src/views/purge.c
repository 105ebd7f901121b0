/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  jemctx_purge: return unused memory to the system.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "arena/arena.h"
#include "compat/compat.h"

COMPAT_FUNCTION(jemctx_purge);

Datum
jemctx_purge(PG_FUNCTION_ARGS)
{
	if (!PG_ARGISNULL(0) && PG_GETARG_INT32(0) != MyProcPid)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot purge the memory of process %d", PG_GETARG_INT32(0)),
				 errdetail("A process can only purge its own memory."),
				 errhint("Call jemctx_purge() in that session.")));
	PG_RETURN_INT64(arena_purge());
}
