/*-------------------------------------------------------------------------
 *
 * jemctx_test.h
 *	  What the tests share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_TEST_H
#define JEMCTX_TEST_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "extension/jemctx/jemctx.h"

#define check(condition) \
	do { \
		if (!(condition)) \
			elog(ERROR, "%s: not true: %s", PG_FUNCNAME_MACRO, #condition); \
	} while (0)

static inline JemctxLifetime
lifetime_arg(FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	check(strcmp(name, "transient") == 0 || strcmp(name, "persistent") == 0);
	return strcmp(name, "transient") == 0 ? JEMCTX_TRANSIENT : JEMCTX_PERSISTENT;
}

static inline MemoryContext
test_context(FunctionCallInfo fcinfo)
{
	return JemctxContextCreate(CurrentMemoryContext, "test", lifetime_arg(fcinfo));
}

#endif							/* JEMCTX_TEST_H */
