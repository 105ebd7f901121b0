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

/* A context's identifier must live as long as the context: a reset keeps both. */
static char *ident;

static void
require_kept(void)
{
	if (kept == NULL)
		elog(ERROR, "no context is kept");
}

Datum
jemctx_test_keep(PG_FUNCTION_ARGS)
{
	int			bytes = PG_GETARG_INT32(3);
	char	   *new_ident = MemoryContextStrdup(TopMemoryContext,
												text_to_cstring(PG_GETARG_TEXT_PP(1)));

	if (kept == NULL)
		kept = JemctxContextCreate(TopMemoryContext, "kept", lifetime_arg(fcinfo));
	MemoryContextSetIdentifier(kept, new_ident);
	if (ident != NULL)
		pfree(ident);
	ident = new_ident;
	for (int i = 0; i < PG_GETARG_INT32(2); i++)
		memset(MemoryContextAlloc(kept, bytes), 1, bytes);
	PG_RETURN_VOID();
}

Datum
jemctx_test_reset(PG_FUNCTION_ARGS)
{
	require_kept();
	MemoryContextReset(kept);
	PG_RETURN_VOID();
}

Datum
jemctx_test_drop(PG_FUNCTION_ARGS)
{
	require_kept();
	MemoryContextDelete(kept);
	kept = NULL;
	PG_RETURN_VOID();
}
