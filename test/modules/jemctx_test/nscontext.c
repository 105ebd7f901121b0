/*-------------------------------------------------------------------------
 *
 * nscontext.c
 *	  What PostgreSQL builds in the memory context of a namespace.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(jemctx_test_ns_realloc);
PG_FUNCTION_INFO_V1(jemctx_test_ns_shrink);
PG_FUNCTION_INFO_V1(jemctx_test_ns_build);
PG_FUNCTION_INFO_V1(jemctx_test_ns_read);
PG_FUNCTION_INFO_V1(jemctx_test_ns_extend);
PG_FUNCTION_INFO_V1(jemctx_test_ns_context_reset);

#define ITEMS 5000

/* What one session builds and others read, change and free. */
typedef struct Built
{
	List	   *list;			/* of String nodes */
	StringInfoData text;
} Built;

/* Sizes up and down, between all classes; contents stay as far as they go. */
Datum
jemctx_test_ns_realloc(PG_FUNCTION_ARGS)
{
	MemoryContext context = jemctx_namespace_context(namespace_arg(fcinfo));

	/* all but the largest */
	for (int i = 0; i < lengthof(test_sizes) - 2; i++)
	{
		for (int j = 0; j < lengthof(test_sizes) - 2; j++)
		{
			Size		from = test_sizes[i];
			Size		to = test_sizes[j];
			char	   *chunk = MemoryContextAlloc(context, from);

			fill(chunk, from, i);
			chunk = repalloc(chunk, to);
			check(GetMemoryChunkContext(chunk) == context);
			check(GetMemoryChunkSpace(chunk) >= to + 16);
			check_filled(chunk, Min(from, to), i);
			pfree(chunk);
		}
	}
	PG_RETURN_VOID();
}

/* A large chunk stays where it is until a half of it would do. */
Datum
jemctx_test_ns_shrink(PG_FUNCTION_ARGS)
{
	Size		megabyte = (Size) 1024 * 1024;
	MemoryContext context = jemctx_namespace_context(namespace_arg(fcinfo));
	char	   *chunk = MemoryContextAlloc(context, 8 * megabyte);
	char	   *first = chunk;

	chunk = repalloc(chunk, 5 * megabyte);
	check(chunk == first);
	chunk = repalloc(chunk, megabyte);
	check(chunk != first);
	check(GetMemoryChunkSpace(chunk) < 4 * megabyte);
	pfree(chunk);
	PG_RETURN_VOID();
}

static List *
make_list(void)
{
	List	   *list = NIL;

	for (int i = 0; i < ITEMS; i++)
		list = lappend(list, makeString(psprintf("item %d", i)));
	return list;
}

Datum
jemctx_test_ns_build(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	List	   *list = make_list();
	MemoryContext old = MemoryContextSwitchTo(jemctx_namespace_context(ns));
	Built	   *built = palloc0(sizeof(Built));

	built->list = copyObject(list);
	initStringInfo(&built->text);
	for (int i = 0; i < ITEMS; i++)
		appendStringInfo(&built->text, "%d,", i);
	MemoryContextSwitchTo(old);
	jemctx_namespace_set_root(ns, built);
	PG_RETURN_VOID();
}

/* Read what another session has built: the length of the list and of the text. */
Datum
jemctx_test_ns_read(PG_FUNCTION_ARGS)
{
	Built	   *built = jemctx_namespace_root(namespace_arg(fcinfo));
	ListCell   *cell;
	int			i = 0;

	foreach(cell, built->list)
		check(strcmp(strVal(lfirst(cell)), psprintf("item %d", i++ % ITEMS)) == 0);
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%d items, %d bytes", list_length(built->list),
											  built->text.len)));
}

/* Extend what another session has built, or with false free it. */
Datum
jemctx_test_ns_extend(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Built	   *built = jemctx_namespace_root(ns);

	if (PG_GETARG_BOOL(1))
	{
		MemoryContext old = MemoryContextSwitchTo(jemctx_namespace_context(ns));
		List	   *copy = copyObject(built->list);

		built->list = list_concat(built->list, copy);
		list_free(copy);
		appendBinaryStringInfo(&built->text, built->text.data, built->text.len);
		MemoryContextSwitchTo(old);
		PG_RETURN_VOID();
	}
	jemctx_namespace_set_root(ns, NULL);
	while (built->list != NIL)
	{
		String	   *last = llast(built->list);

		built->list = list_delete_last(built->list);
		pfree(strVal(last));
		pfree(last);
	}
	pfree(built->text.data);
	pfree(built);
	PG_RETURN_VOID();
}

/* A reset of the context is one of the namespace. */
Datum
jemctx_test_ns_context_reset(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	MemoryContext context = jemctx_namespace_context(ns);

	check(context->parent == NULL);
	check(GetMemoryChunkContext(MemoryContextAlloc(context, 10)) == context);
	jemctx_namespace_set_root(ns, context);
	MemoryContextReset(context);
	check(jemctx_namespace_root(ns) == NULL);

	/* once more: others may have allocated since */
	jemctx_namespace_set_root(ns, jemctx_namespace_allocate(ns, 100, 0));
	MemoryContextReset(context);
	check(jemctx_namespace_root(ns) == NULL);
	PG_RETURN_VOID();
}
