/*-------------------------------------------------------------------------
 *
 * atstart.c
 *	  A library that takes much memory for a while as a session starts.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "access/xact.h"
#include "utils/guc.h"

extern PGDLLEXPORT void _PG_init(void);

/* Setting, in MB */
static int	at_start;

static void
take_at_start(void)
{
	const Size	bytes = (Size) 64 * 1024;

	for (int i = 0; i < at_start * 16; i++)
		memset(MemoryContextAlloc(TopTransactionContext, bytes), 1, bytes);
}

void
_PG_init(void)
{
	DefineCustomIntVariable("jemctx_test.at_start",
							"Sets what the library takes when it is loaded as a session starts.",
							NULL,
							&at_start, 0, 0, 1024,
							PGC_USERSET, GUC_UNIT_MB, NULL, NULL, NULL);
	if (IsTransactionState())
		take_at_start();
}
