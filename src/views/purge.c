/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  jemctx_purge and jemctx_purge_all: return unused memory to the system.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "compat/compat.h"
#include "namespace/namespace.h"
#include "policy/others.h"
#include "policy/purge.h"

COMPAT_FUNCTION(jemctx_purge);
COMPAT_FUNCTION(jemctx_purge_all);

/* NULL when another process does not answer now. */
Datum
jemctx_purge(PG_FUNCTION_ARGS)
{
	Size		given;

	if (PG_ARGISNULL(0) || PG_GETARG_INT32(0) == MyProcPid)
		PG_RETURN_INT64(purge_now());
	if (!others_purge(PG_GETARG_INT32(0), &given))
		PG_RETURN_NULL();
	PG_RETURN_INT64(given);
}

/* Namespaces are purged for those who may signal anybody. */
Datum
jemctx_purge_all(PG_FUNCTION_ARGS)
{
	Size		given = others_purge_all() + purge_now();

	if (has_privs_of_role(GetUserId(), ROLE_PG_SIGNAL_BACKEND))
		given += namespace_purge();
	PG_RETURN_INT64(given);
}
