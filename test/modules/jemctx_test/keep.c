/*-------------------------------------------------------------------------
 *
 * keep.c
 *	  A context that lives as long as the session, for the tests of views.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

PG_FUNCTION_INFO_V1(jemctx_test_keep);
PG_FUNCTION_INFO_V1(jemctx_test_reset);
PG_FUNCTION_INFO_V1(jemctx_test_drop);

static MemoryContext kept;

Datum
jemctx_test_keep(PG_FUNCTION_ARGS)
{
	char	   *ident = text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (kept == NULL)
		kept = JemctxContextCreate(TopMemoryContext, "kept", lifetime_arg(fcinfo));
	MemoryContextSetIdentifier(kept, MemoryContextStrdup(TopMemoryContext, ident));
	for (int i = 0; i < PG_GETARG_INT32(2); i++)
		memset(MemoryContextAlloc(kept, PG_GETARG_INT32(3)), 1, PG_GETARG_INT32(3));
	PG_RETURN_VOID();
}

Datum
jemctx_test_reset(PG_FUNCTION_ARGS)
{
	MemoryContextReset(kept);
	PG_RETURN_VOID();
}

Datum
jemctx_test_drop(PG_FUNCTION_ARGS)
{
	MemoryContextDelete(kept);
	kept = NULL;
	PG_RETURN_VOID();
}
