/*-------------------------------------------------------------------------
 *
 * check.c
 *	  jemctx_debug_check(): are all contexts of this process as they must be?
 *
 * There is no such function in the extension: tests of a checking build
 * declare it themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat/compat.h"
#include "context/checking.h"
#include "context/slabcheck.h"

#ifdef JEMCTX_CHECKING

COMPAT_FUNCTION(jemctx_debug_check);

/* The number of problems, each of which is a WARNING. */
Datum
jemctx_debug_check(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(checking_all() + slabcheck_all());
}

#endif
