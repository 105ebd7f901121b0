/*-------------------------------------------------------------------------
 *
 * checking.c
 *	  Mistakes that a checking build, or a tool that watches memory, must
 *	  find; and memory that is refused on purpose.
 *
 * In an ordinary build these functions may crash the server.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "utils/guc.h"

PG_FUNCTION_INFO_V1(jemctx_test_overrun);
PG_FUNCTION_INFO_V1(jemctx_test_underrun);
PG_FUNCTION_INFO_V1(jemctx_test_inside);
PG_FUNCTION_INFO_V1(jemctx_test_stale);
PG_FUNCTION_INFO_V1(jemctx_test_deleted);
PG_FUNCTION_INFO_V1(jemctx_test_read_freed);
PG_FUNCTION_INFO_V1(jemctx_test_read_new);
PG_FUNCTION_INFO_V1(jemctx_test_branch_on_new);
PG_FUNCTION_INFO_V1(jemctx_test_shift);
PG_FUNCTION_INFO_V1(jemctx_test_refused);

/* Not known to the compiler, which would do away with what must not be done. */
static char *volatile pointer;
static volatile int result;

/* Write one byte so far past the end of a chunk of so many; then free, resize, reset or check. */
Datum
jemctx_test_overrun(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	int			bytes = PG_GETARG_INT32(1);
	char	   *then = text_to_cstring(PG_GETARG_TEXT_PP(3));

	MemoryContextAlloc(context, bytes);
	pointer = MemoryContextAlloc(context, bytes);
	pointer[bytes + PG_GETARG_INT32(2)]++;
	if (strcmp(then, "free") == 0)
		pfree(pointer);
	else if (strcmp(then, "resize") == 0)
		pointer = repalloc(pointer, (Size) bytes * 2);
	else if (strcmp(then, "reset") == 0)
		MemoryContextReset(context);
	else if (strcmp(then, "check") == 0)
		DirectFunctionCall1(load_external_function("$libdir/jemctx", "jemctx_debug_check", true,
												   NULL), (Datum) 0);
	else if (strcmp(then, "nothing") != 0)
		elog(ERROR, "unknown action: \"%s\"", then);
	PG_RETURN_VOID();
}

/* Overwrite a byte of the header, so far before the data, and free or reset. */
Datum
jemctx_test_underrun(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	char	   *then = text_to_cstring(PG_GETARG_TEXT_PP(3));

	pointer = MemoryContextAlloc(context, PG_GETARG_INT32(1));
	pointer[-PG_GETARG_INT32(2)] ^= 0x55;
	if (strcmp(then, "free") == 0)
		pfree(pointer);
	else
		MemoryContextReset(context);
	PG_RETURN_VOID();
}

/*
 * Free or resize an address inside a chunk, before which its own context or
 * another's happens to be written.
 */
Datum
jemctx_test_inside(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	MemoryContext other = JemctxContextCreate(CurrentMemoryContext, "other", lifetime_arg(fcinfo));
	uintptr_t  *words = MemoryContextAllocZero(context, PG_GETARG_INT32(1));
	uintptr_t  *chunk = MemoryContextAlloc(PG_GETARG_BOOL(2) ? other : context, 1);

	words[5] = chunk[-1];
	pointer = (char *) &words[6];
	if (PG_GETARG_BOOL(3))
		pointer = repalloc(pointer, 10);
	else
		pfree(pointer);
	PG_RETURN_VOID();
}

/* Use the address that a chunk had before it was freed or resized, or its context reset. */
Datum
jemctx_test_stale(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	char	   *before = text_to_cstring(PG_GETARG_TEXT_PP(2));

	pointer = MemoryContextAlloc(context, PG_GETARG_INT32(1));
	MemoryContextAlloc(context, PG_GETARG_INT32(1));
	if (strcmp(before, "resize") == 0)
		result = *(unsigned char *) repalloc(pointer, PG_GETARG_INT32(1) + 1);
	else if (strcmp(before, "reset") == 0)
		MemoryContextReset(context);
	else
		pfree(pointer);
	pointer = repalloc(pointer, 10);
	PG_RETURN_VOID();
}

/* Allocate in a context that was deleted. */
Datum
jemctx_test_deleted(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);

	MemoryContextDelete(context);
	pointer = MemoryContextAlloc(context, 10);
	PG_RETURN_VOID();
}

/* What is in a chunk that was freed, in its middle. */
Datum
jemctx_test_read_freed(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);

	pointer = MemoryContextAllocZero(context, PG_GETARG_INT32(1));
	MemoryContextAlloc(context, PG_GETARG_INT32(1));
	pfree(pointer);
	result = (unsigned char) pointer[PG_GETARG_INT32(1) / 2];
	PG_RETURN_INT32(result);
}

/* How many different bytes two new chunks begin with; not zero, either. */
Datum
jemctx_test_read_new(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	int			bytes = PG_GETARG_INT32(1);
	char	   *one = MemoryContextAlloc(context, bytes);
	char	   *two = MemoryContextAlloc(context, bytes);

	check(one[0] != 0 && one[0] == one[bytes - 1]);
	check(two[0] != 0 && two[0] == two[bytes - 1]);
	PG_RETURN_INT32(one[0] == two[0] ? 1 : 2);
}

/* Decide by what is in a new chunk. */
Datum
jemctx_test_branch_on_new(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);

	pointer = MemoryContextAlloc(context, PG_GETARG_INT32(1));
	if (pointer[0] == 'a')
		result = 1;
	PG_RETURN_VOID();
}

/* Undefined behaviour: shift by more than there are bits. */
Datum
jemctx_test_shift(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(1 << PG_GETARG_INT32(0));
}

static void
fail_extents(int every)
{
	char		value[20];

	snprintf(value, sizeof(value), "%d", every);
	SetConfigOption("jemctx.debug_fail_extents", value, PGC_SUSET, PGC_S_SESSION);
}

/* Ask for one chunk and resize it, beside another; returns how often that failed. */
static int
ask(MemoryContext context, Size size)
{
	int			flags = MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE;
	Size		before = MemoryContextMemAllocated(context, false);
	char	   *data = MemoryContextAllocExtended(context, size, flags);
	Size		held;
	MemoryContext caller = CurrentMemoryContext;
	volatile int refused = 0;

	if (data == NULL)
	{
		check_equal(MemoryContextMemAllocated(context, false), before);
		return 1;
	}
	fill(data, size, 5);
	held = MemoryContextMemAllocated(context, false);
	PG_TRY();
	{
		data = repalloc(data, size * 2 + 1);
	}
	PG_CATCH();
	{
		refused = 1;
		MemoryContextSwitchTo(caller);
		fail_extents(0);
		FlushErrorState();
		check_equal(MemoryContextMemAllocated(context, false), held);
	}
	PG_END_TRY();
	check_filled(data, size, 5);
	if (size % 2 == 0)
		pfree(data);
	return refused;
}

/*
 * Every n-th request for pages fails, for each small n: what was there stays,
 * nothing is lost, and the context can be used.  Returns how often chunks
 * were refused.
 */
Datum
jemctx_test_refused(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		empty = MemoryContextMemAllocated(context, false);
	int			refused = 0;

	for (int every = 1; every <= PG_GETARG_INT32(1); every++)
	{
		for (int i = 0; i < lengthof(test_sizes); i++)
		{
			char	   *neighbour = MemoryContextAlloc(context, test_sizes[i]);

			fill(neighbour, test_sizes[i], i);
			fail_extents(every);
			refused += ask(context, test_sizes[i]);
			fail_extents(0);
			check_filled(neighbour, test_sizes[i], i);
			pfree(neighbour);
		}
		MemoryContextReset(context);
		check_equal(MemoryContextMemAllocated(context, false), empty);
	}
	MemoryContextDelete(context);
	PG_RETURN_INT32(refused);
}
