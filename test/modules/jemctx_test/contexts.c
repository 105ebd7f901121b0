/*-------------------------------------------------------------------------
 *
 * contexts.c
 *	  Tests of contexts: they do all that core's do.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include <dlfcn.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "parser/parser.h"
#include "utils/hsearch.h"

PG_FUNCTION_INFO_V1(jemctx_test_tree);
PG_FUNCTION_INFO_V1(jemctx_test_create);
PG_FUNCTION_INFO_V1(jemctx_test_critical);
PG_FUNCTION_INFO_V1(jemctx_test_users);
PG_FUNCTION_INFO_V1(jemctx_test_stats);
PG_FUNCTION_INFO_V1(jemctx_test_arena);

#define MANY 5000

static void
count_call(void *calls)
{
	(*(int *) calls)++;
}

static MemoryContextCallback *
counting_callback(int *calls)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = count_call;
	callback->arg = calls;
	return callback;
}

/* Callbacks, children, and a parent that changes. */
Datum
jemctx_test_tree(PG_FUNCTION_ARGS)
{
	MemoryContext top = test_context(fcinfo);
	MemoryContext other = test_context(fcinfo);
	MemoryContext child = JemctxContextCreate(top, "child", lifetime_arg(fcinfo));
	int			reset = 0;
	int			deleted = 0;

	MemoryContextAlloc(top, 10);
	MemoryContextRegisterResetCallback(top, counting_callback(&reset));
	MemoryContextReset(top);
	check(reset == 1 && MemoryContextIsEmpty(top) && top->firstchild == NULL);
	MemoryContextAlloc(top, 10);
	MemoryContextReset(top);
	check(reset == 1);

	child = JemctxContextCreate(top, "child", lifetime_arg(fcinfo));
	MemoryContextAlloc(child, 100000);
	MemoryContextRegisterResetCallback(child, counting_callback(&deleted));
	MemoryContextSetParent(child, other);
	check(MemoryContextGetParent(child) == other);
	MemoryContextDelete(top);
	check(deleted == 0);
	check(MemoryContextMemAllocated(other, true) >= 100000);
	MemoryContextDelete(other);
	check(deleted == 1);
	PG_RETURN_VOID();
}

/* Contexts that come and go, some with much in them. */
Datum
jemctx_test_create(PG_FUNCTION_ARGS)
{
	MemoryContext *contexts = palloc(MANY * sizeof(MemoryContext));

	for (int round = 0; round < 2; round++)
	{
		for (int i = 0; i < MANY; i++)
		{
			contexts[i] = test_context(fcinfo);
			check(MemoryContextIsEmpty(contexts[i]));
			for (int chunk = 0; chunk < i % 20; chunk++)
				memset(MemoryContextAlloc(contexts[i], i), i, i);
		}
		for (int i = 0; i < MANY; i++)
			MemoryContextDelete(contexts[i]);
	}
	PG_RETURN_VOID();
}

Datum
jemctx_test_critical(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);

	MemoryContextAllowInCriticalSection(context, true);
	START_CRIT_SECTION();
	pfree(repalloc(MemoryContextAlloc(context, 100), 100000));
	END_CRIT_SECTION();
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* What PostgreSQL builds in contexts can be built here. */
Datum
jemctx_test_users(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	MemoryContext old = MemoryContextSwitchTo(context);
	HASHCTL		control = {.keysize = sizeof(int), .entrysize = sizeof(int), .hcxt = context};
	HTAB	   *table = hash_create("test", 10, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	List	   *tree = raw_parser("SELECT a, b FROM c WHERE d = 'e'", RAW_PARSE_DEFAULT);
	List	   *list = NIL;
	StringInfoData string;

	initStringInfo(&string);
	for (int i = 0; i < MANY; i++)
	{
		list = lappend_int(list, i);
		appendStringInfo(&string, "%d,", i);
		hash_search(table, &i, HASH_ENTER, NULL);
	}
	check(list_length(list) == MANY && llast_int(list) == MANY - 1);
	check(hash_get_num_entries(table) == MANY);
	check(strncmp(string.data + string.len - 5, "4999,", 5) == 0);
	check(equal(copyObject(tree), tree));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* The statistics have all memory, and no more of it free than was freed. */
Datum
jemctx_test_stats(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	MemoryContextCounters counters = {0};
	char	   *data = MemoryContextAlloc(context, 1000);

	MemoryContextAlloc(context, 5000);
	MemoryContextAlloc(context, 50000);
	pfree(data);
	context->methods->stats(context, NULL, NULL, &counters, false);
	check(counters.nblocks >= 2);
	check(counters.totalspace >= MemoryContextMemAllocated(context, false));
	check(counters.totalspace <= MemoryContextMemAllocated(context, false) + 1024);
	check(counters.totalspace - counters.freespace >= 55000);
	check(counters.totalspace - counters.freespace <= 80000);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* A large chunk lies right behind its header, in an object of its own. */
Datum
jemctx_test_arena(PG_FUNCTION_ARGS)
{
	int			(*mallctl) (const char *, void *, size_t *, void *, size_t) =
	(int (*) (const char *, void *, size_t *, void *, size_t)) dlsym(RTLD_DEFAULT, "mallctl");
	MemoryContext context = test_context(fcinfo);
	void	   *data = MemoryContextAlloc(context, 1000000);
	unsigned	arena;
	size_t		len = sizeof(arena);

	check(mallctl != NULL);
	check(mallctl("arenas.lookup", &arena, &len, &data, sizeof(data)) == 0);
	MemoryContextDelete(context);
	PG_RETURN_INT32(arena);
}
