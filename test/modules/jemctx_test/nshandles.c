/*-------------------------------------------------------------------------
 *
 * nshandles.c
 *	  Handles of namespaces: what they cost, and where there is no memory
 *	  for one.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "storage/lock.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(jemctx_test_ns_generations);
PG_FUNCTION_INFO_V1(jemctx_test_ns_create_refused);
PG_FUNCTION_INFO_V1(jemctx_test_ns_chunk);
PG_FUNCTION_INFO_V1(jemctx_test_ns_pfree_refused);
PG_FUNCTION_INFO_V1(jemctx_test_ns_flush);
PG_FUNCTION_INFO_V1(jemctx_test_dictionary_lock);

#define LARGEST ((Size) 1024 * 1024)

/* Make, use and drop a namespace so often.  Bytes that this process holds more after each. */
Datum
jemctx_test_ns_generations(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			rounds = PG_GETARG_INT32(1);
	Size		before = 0;

	check(rounds > 0);
	/* the first has what is made once */
	for (int i = 0; i <= rounds; i++)
	{
		JemctxNamespace *ns = jemctx_namespace_create(name, 0);

		check(jemctx_namespace_find(name, false) == ns);
		jemctx_namespace_free(ns, jemctx_namespace_allocate(ns, 100, 0));
		jemctx_namespace_drop(name);
		if (i == 0)
			before = MemoryContextMemAllocated(TopMemoryContext, true);
	}
	PG_RETURN_INT64((MemoryContextMemAllocated(TopMemoryContext, true) - before) / rounds);
}

/* Take memory until the limit refuses the smallest piece; a list of all of it. */
static void *
take_all(void)
{
	void	   *first = NULL;

	for (Size size = LARGEST; size >= sizeof(void *); size /= 2)
	{
		void	  **piece;

		while ((piece = MemoryContextAllocExtended(TopMemoryContext, size,
												   MCXT_ALLOC_NO_OOM)) != NULL)
		{
			*piece = first;
			first = piece;
		}
	}
	return first;
}

static void
give_back(void *first)
{
	while (first != NULL)
	{
		void	   *next = *(void **) first;

		pfree(first);
		first = next;
	}
}

/* Is there no memory to make the namespace? */
static bool
create_is_refused(const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool refused = false;

	PG_TRY();
	{
		jemctx_namespace_create(name, 0);
	}
	PG_CATCH();
	{
		refused = geterrcode() == ERRCODE_OUT_OF_MEMORY;
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
	return refused;
}

/* A process at its limit is refused a namespace, and then there is none: it can be made later. */
Datum
jemctx_test_ns_create_refused(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	void	   *all = take_all();
	bool		refused = create_is_refused(name);

	give_back(all);
	check(refused);
	check(jemctx_namespace_find(name, true) == NULL);
	jemctx_namespace_create(name, 0);
	PG_RETURN_VOID();
}

/* A chunk for another process. */
Datum
jemctx_test_ns_chunk(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((uintptr_t) MemoryContextAlloc(jemctx_namespace_context(namespace_arg(fcinfo)),
												   PG_GETARG_INT32(1)));
}

/* Free it in a process that has not had to do with the namespace, and is at its limit. */
Datum
jemctx_test_ns_pfree_refused(PG_FUNCTION_ARGS)
{
	void	   *chunk = (void *) (uintptr_t) PG_GETARG_INT64(0);
	void	   *all = take_all();

	pfree(chunk);
	give_back(all);
	PG_RETURN_VOID();
}

Datum
jemctx_test_ns_flush(PG_FUNCTION_ARGS)
{
	jemctx_namespace_flush();
	PG_RETURN_VOID();
}

/* Take the lock of jemctx_dictionary as one who reads, until the end of the transaction. */
Datum
jemctx_test_dictionary_lock(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, InvalidOid, 0x6a656d63, 0x64696374, 2);
	(void) LockAcquire(&tag, ShareLock, false, false);
	PG_RETURN_VOID();
}
