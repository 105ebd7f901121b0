/*-------------------------------------------------------------------------
 *
 * contexts.c
 *	  Tests of contexts: the order in which they are reset and deleted, and
 *	  that many can come and go.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

PG_FUNCTION_INFO_V1(jemctx_test_callbacks);
PG_FUNCTION_INFO_V1(jemctx_test_parents);
PG_FUNCTION_INFO_V1(jemctx_test_empty);
PG_FUNCTION_INFO_V1(jemctx_test_create);

/* Letters of the callbacks that were called, in their order. */
static char trace[20];

static void
write_letter(void *letter)
{
	size_t		length = strlen(trace);

	check_compare(length, <, sizeof(trace) - 1);
	trace[length] = *(char *) letter;
	trace[length + 1] = '\0';
}

/* The callback lies in the context itself, as most do. */
static void
call_back(MemoryContext context, const char *letter)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));

	callback->func = write_letter;
	callback->arg = unconstify(char *, letter);
	MemoryContextRegisterResetCallback(context, callback);
}

static void
expect_trace(const char *expected)
{
	if (strcmp(trace, expected) != 0)
		elog(ERROR, "callbacks were called as \"%s\", must be \"%s\"", trace, expected);
	trace[0] = '\0';
}

/* Callbacks are called once, the latest first, those of children before. */
Datum
jemctx_test_callbacks(PG_FUNCTION_ARGS)
{
	MemoryContext top = test_context(fcinfo);
	MemoryContext child = JemctxContextCreate(top, "child", lifetime_arg(fcinfo));
	Size		empty = MemoryContextMemAllocated(top, false);

	trace[0] = '\0';
	call_back(top, "a");
	call_back(top, "b");
	call_back(child, "c");
	call_back(child, "d");
	MemoryContextResetOnly(top);
	expect_trace("ba");
	check(top->firstchild == child);
	check_equal(MemoryContextMemAllocated(top, false), empty);
	call_back(top, "e");
	MemoryContextReset(top);
	expect_trace("dce");
	check(top->firstchild == NULL);
	MemoryContextAlloc(top, 10);
	MemoryContextReset(top);
	expect_trace("");
	call_back(top, "f");
	call_back(AllocSetContextCreate(top, "core's", ALLOCSET_DEFAULT_SIZES), "g");
	MemoryContextDelete(top);
	expect_trace("gf");
	PG_RETURN_VOID();
}

/* A child lives as long as the parent that it has at the end. */
Datum
jemctx_test_parents(PG_FUNCTION_ARGS)
{
	MemoryContext first = test_context(fcinfo);
	MemoryContext second = test_context(fcinfo);
	MemoryContext child = JemctxContextCreate(first, "child", lifetime_arg(fcinfo));
	MemoryContext orphan = JemctxContextCreate(NULL, "orphan", lifetime_arg(fcinfo));
	Size		empty = MemoryContextMemAllocated(second, true);
	char	   *data = MemoryContextAlloc(child, 100000);

	trace[0] = '\0';
	fill(data, 100000, 8);
	call_back(child, "c");
	call_back(orphan, "o");
	MemoryContextSetParent(child, second);
	check(MemoryContextGetParent(child) == second);
	check(first->firstchild == NULL && second->firstchild == child);
	MemoryContextDelete(first);
	expect_trace("");
	check_filled(data, 100000, 8);
	check_compare(MemoryContextMemAllocated(second, true), >=, empty + 100000);
	check(MemoryContextGetParent(orphan) == NULL);
	MemoryContextSetParent(orphan, child);
	MemoryContextDelete(second);
	expect_trace("oc");
	PG_RETURN_VOID();
}

/* A context that has had chunks, and has none, is like a new one. */
Datum
jemctx_test_empty(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		empty = MemoryContextMemAllocated(context, false);

	for (int round = 0; round < 100; round++)
	{
		check(MemoryContextIsEmpty(context));
		for (int i = 0; i < lengthof(test_sizes); i++)
			fill(MemoryContextAlloc(context, test_sizes[i]), Min(test_sizes[i], 10000), round);
		check(!MemoryContextIsEmpty(context));
		check_compare(MemoryContextMemAllocated(context, false), >, empty);
		MemoryContextReset(context);
		check_equal(MemoryContextMemAllocated(context, false), empty);
	}
	MemoryContextReset(context);
	check(MemoryContextIsEmpty(context));
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/*
 * So many contexts at once, some with much in them, deleted in random order:
 * what is freed of one must not be another's.
 */
Datum
jemctx_test_create(PG_FUNCTION_ARGS)
{
	int			many = PG_GETARG_INT32(1);
	MemoryContext *contexts = palloc(many * sizeof(MemoryContext));
	char	  **chunks = palloc(many * sizeof(char *));
	int		   *order = palloc(many * sizeof(int));
	pg_prng_state state;

	pg_prng_seed(&state, 3);
	for (int i = 0; i < many; i++)
	{
		contexts[i] = test_context(fcinfo);
		check(MemoryContextIsEmpty(contexts[i]));
		for (int chunk = 0; chunk < i % 20; chunk++)
			fill(MemoryContextAlloc(contexts[i], i % 3000), i % 3000, chunk);
		chunks[i] = MemoryContextAlloc(contexts[i], i % 3000);
		fill(chunks[i], i % 3000, i);
	}
	shuffle(order, many, &state);
	for (int i = 0; i < many; i++)
	{
		check_filled(chunks[order[i]], order[i] % 3000, order[i]);
		MemoryContextDelete(contexts[order[i]]);
	}
	PG_RETURN_VOID();
}
