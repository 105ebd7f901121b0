/*-------------------------------------------------------------------------
 *
 * flags.c
 *	  Tests of MCXT_ALLOC_HUGE, _NO_OOM and _ZERO, and of what happens when
 *	  there is no memory.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "miscadmin.h"

PG_FUNCTION_INFO_V1(jemctx_test_huge);
PG_FUNCTION_INFO_V1(jemctx_test_zero);
PG_FUNCTION_INFO_V1(jemctx_test_no_memory);
PG_FUNCTION_INFO_V1(jemctx_test_critical);

/* Of these 2 GB only the pages at both ends are touched. */
#define HUGE_SIZE ((Size) 2 * 1024 * 1024 * 1024)

/* The error that was caught, or NULL; the caller's context is current again. */
typedef void (*Attempt) (MemoryContext context, void *pointer, Size size);

static ErrorData *
error_of(Attempt attempt, MemoryContext context, void *pointer, Size size)
{
	MemoryContext caller = CurrentMemoryContext;
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		attempt(context, pointer, size);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	return error;
}

static void
attempt_alloc(MemoryContext context, void *pointer, Size size)
{
	MemoryContextAlloc(context, size);
}

static void
attempt_alloc_huge(MemoryContext context, void *pointer, Size size)
{
	MemoryContextAllocHuge(context, size);
}

static void
attempt_realloc(MemoryContext context, void *pointer, Size size)
{
	pfree(repalloc(pointer, size));
}

static void
attempt_realloc_huge(MemoryContext context, void *pointer, Size size)
{
	pfree(repalloc_huge(pointer, size));
}

static void
check_error(ErrorData *error, int code, const char *message, const char *detail)
{
	check(error != NULL);
	if (error->sqlerrcode != code || strncmp(error->message, message, strlen(message)) != 0 ||
		(detail && (error->detail == NULL || strstr(error->detail, detail) == NULL)))
		elog(ERROR, "error is %s: %s (%s)", unpack_sql_state(error->sqlerrcode), error->message,
			 error->detail ? error->detail : "no detail");
}

/* Above 1 GB with the flag only. */
Datum
jemctx_test_huge(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		empty = MemoryContextMemAllocated(context, false);
	char	   *small = MemoryContextAlloc(context, 100);
	char	   *data = MemoryContextAllocHuge(context, HUGE_SIZE);

	fill(small, 100, 4);
	data[0] = 'a';
	data[HUGE_SIZE - 1] = 'z';
	check_compare(GetMemoryChunkSpace(data), >, HUGE_SIZE);
	check_compare(MemoryContextMemAllocated(context, false), >, HUGE_SIZE);
	data = repalloc_huge(data, HUGE_SIZE + HUGE_SIZE / 2);
	check(data[0] == 'a' && data[HUGE_SIZE - 1] == 'z');
	data[HUGE_SIZE + HUGE_SIZE / 2 - 1] = 'z';
	data = repalloc_huge(data, 1000);
	check(data[0] == 'a');
	check_compare(MemoryContextMemAllocated(context, false), <, empty + 20000);
	check_error(error_of(attempt_alloc, context, NULL, MaxAllocSize + 1),
				ERRCODE_INTERNAL_ERROR, "invalid memory alloc request size", NULL);
	check_error(error_of(attempt_realloc, context, small, MaxAllocSize + 1),
				ERRCODE_INTERNAL_ERROR, "invalid memory alloc request size", NULL);
	check_filled(small, 100, 4);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* Zero is zero in new chunks and in those that are used again. */
Datum
jemctx_test_zero(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);

	for (int i = 0; i < lengthof(test_sizes); i++)
	{
		Size		size = test_sizes[i];
		char	   *dirty = MemoryContextAlloc(context, size);
		char	   *data;

		memset(dirty, 0x55, size);
		pfree(dirty);
		data = MemoryContextAllocExtended(context, size, MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
		for (Size byte = 0; byte < size; byte++)
			check_equal(data[byte], 0);
		memset(data, 0x55, size);
		pfree(data);
		data = MemoryContextAllocZero(context, size);
		for (Size byte = 0; byte < size; byte++)
			check_equal(data[byte], 0);
	}
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* Ask for what cannot be had, in each way; context and chunk stay as they are. */
static void
fail_beside(MemoryContext context, char *data, Size size, unsigned char seed)
{
	Size		before = MemoryContextMemAllocated(context, false);
	Size		space = GetMemoryChunkSpace(data);
	int			flags = MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM;

	check(MemoryContextAllocExtended(context, MaxAllocHugeSize, flags) == NULL);
	check(MemoryContextAllocExtended(context, MaxAllocHugeSize, flags | MCXT_ALLOC_ZERO) == NULL);
	check_error(error_of(attempt_alloc_huge, context, NULL, MaxAllocHugeSize),
				ERRCODE_OUT_OF_MEMORY, "out of memory", "in memory context \"test\"");
	check_error(error_of(attempt_realloc_huge, context, data, MaxAllocHugeSize),
				ERRCODE_OUT_OF_MEMORY, "out of memory", "in memory context \"test\"");
	check_equal(MemoryContextMemAllocated(context, false), before);
	check_equal(GetMemoryChunkSpace(data), space);
	check(GetMemoryChunkContext(data) == context);
	check_filled(data, size, seed);
}

/* Out of memory is an ordinary error, nothing is lost, and the context works. */
Datum
jemctx_test_no_memory(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		empty = MemoryContextMemAllocated(context, false);

	for (int i = 0; i < lengthof(test_sizes); i++)
	{
		Size		size = test_sizes[i];
		char	   *data = MemoryContextAlloc(context, size);

		fill(data, size, i);
		fail_beside(context, data, size, i);
		data = repalloc(data, size * 2);
		check_filled(data, size, i);
		pfree(data);
	}
	MemoryContextReset(context);
	check_equal(MemoryContextMemAllocated(context, false), empty);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* In a critical section any error would be a PANIC. */
Datum
jemctx_test_critical(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	bool		right;
	char	   *data;

	MemoryContextAllowInCriticalSection(context, true);
	START_CRIT_SECTION();
	data = MemoryContextAlloc(context, 100);
	fill(data, 100, 6);
	for (int i = 0; i < 10000; i++)
		MemoryContextAlloc(context, i % 500);
	data = repalloc(data, 1000000);
	right = first_wrong_byte(data, 100, 6) == 100 &&
		MemoryContextAllocExtended(context, MaxAllocHugeSize, MCXT_ALLOC_HUGE |
								   MCXT_ALLOC_NO_OOM) == NULL;
	pfree(data);
	END_CRIT_SECTION();
	check(right);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}
