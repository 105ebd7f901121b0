/*-------------------------------------------------------------------------
 *
 * keep.c
 *	  A context that lives as long as the session, for the tests of views.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

PG_FUNCTION_INFO_V1(jemctx_test_keep);
PG_FUNCTION_INFO_V1(jemctx_test_keep_below);
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

/* A context with an identifier of its own, which it has room for. */
static MemoryContext
named(MemoryContext parent, JemctxLifetime lifetime, const char *name, int number)
{
	MemoryContext context = JemctxContextCreate(parent, "below", lifetime);
	char	   *text = psprintf("%s%d", name, number);

	MemoryContextSetIdentifier(context, MemoryContextStrdup(context, text));
	return context;
}

/* In each of so many levels below "kept" three, of which the first has the next level. */
Datum
jemctx_test_keep_below(PG_FUNCTION_ARGS)
{
	JemctxLifetime lifetime = lifetime_arg(fcinfo);
	MemoryContext parent = kept;

	require_kept();
	for (int level = 1; level <= PG_GETARG_INT32(1); level++)
	{
		MemoryContext first = named(parent, lifetime, "first", level);

		named(parent, lifetime, "second", level);
		named(parent, lifetime, "third", level);
		parent = first;
	}
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
