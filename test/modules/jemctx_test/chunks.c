/*-------------------------------------------------------------------------
 *
 * chunks.c
 *	  Tests of chunks: what is in them stays, and what is freed is free.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "common/pg_prng.h"
#include "miscadmin.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(jemctx_test_sizes);
PG_FUNCTION_INFO_V1(jemctx_test_realloc);
PG_FUNCTION_INFO_V1(jemctx_test_flags);
PG_FUNCTION_INFO_V1(jemctx_test_no_memory);
PG_FUNCTION_INFO_V1(jemctx_test_torture);
PG_FUNCTION_INFO_V1(jemctx_test_double_free);

static const Size sizes[] = {
	0, 1, 7, 8, 16, 17, 100, 1000, 1008, 1024, 4064, 4080, 4081, 4096,
	8191, 8192, 8193, 16384, 100000, 262144 - 16, 262144, 1000000, 10000000
};

#define COPIES 3

static void
fill(char *data, Size size, unsigned char seed)
{
	for (Size i = 0; i < size; i++)
		data[i] = (char) (seed + i * 7);
}

static bool
filled(const char *data, Size size, unsigned char seed)
{
	for (Size i = 0; i < size; i++)
	{
		if (data[i] != (char) (seed + i * 7))
			return false;
	}
	return true;
}

/* Chunks of all sizes keep their contents beside each other, whatever is freed first. */
Datum
jemctx_test_sizes(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		empty = MemoryContextMemAllocated(context, false);
	char	   *chunks[lengthof(sizes) * COPIES];

	for (int order = 0; order < 2; order++)
	{
		for (int i = 0; i < lengthof(chunks); i++)
		{
			Size		size = sizes[i / COPIES];

			chunks[i] = MemoryContextAlloc(context, size);
			check(chunks[i] == (char *) MAXALIGN(chunks[i]));
			check(GetMemoryChunkContext(chunks[i]) == context);
			check(GetMemoryChunkSpace(chunks[i]) >= size);
			check(MemoryContextMemAllocated(context, false) >= size);
			fill(chunks[i], size, i);
		}
		for (int i = 0; i < lengthof(chunks); i++)
		{
			int			victim = order == 0 ? i : lengthof(chunks) - 1 - i;

			check(filled(chunks[victim], sizes[victim / COPIES], victim));
			pfree(chunks[victim]);
		}
		if (lifetime_arg(fcinfo) == JEMCTX_TRANSIENT)
			MemoryContextReset(context);
		check(MemoryContextMemAllocated(context, false) == empty);
	}
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* From every size to every other, contents keep as far as both go. */
Datum
jemctx_test_realloc(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);

	for (int from = 0; from < lengthof(sizes); from++)
	{
		for (int to = 0; to < lengthof(sizes); to++)
		{
			char	   *data = MemoryContextAlloc(context, sizes[from]);
			char	   *neighbour = MemoryContextAlloc(context, 100);

			fill(data, sizes[from], 1);
			fill(neighbour, 100, 2);
			data = repalloc(data, sizes[to]);
			check(filled(data, Min(sizes[from], sizes[to]), 1));
			fill(data, sizes[to], 3);
			check(filled(neighbour, 100, 2));
			check(GetMemoryChunkContext(data) == context);
			pfree(data);
			pfree(neighbour);
		}
	}
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* Huge, zeroed, and too large. */
Datum
jemctx_test_flags(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		huge = (Size) 2 * 1024 * 1024 * 1024;
	char	   *data = MemoryContextAllocHuge(context, huge);

	data[huge - 1] = 1;
	data = repalloc_huge(data, huge + 100);
	check(data[huge - 1] == 1);
	pfree(data);
	for (int i = 0; i < lengthof(sizes); i++)
	{
		data = MemoryContextAlloc(context, sizes[i]);
		memset(data, 0x55, sizes[i]);
		pfree(data);
		data = MemoryContextAllocExtended(context, sizes[i], MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
		for (Size byte = 0; byte < sizes[i]; byte++)
			check(data[byte] == 0);
		pfree(data);
	}
	check(MemoryContextAllocExtended(context, MaxAllocHugeSize, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM) == NULL);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* The code of the error that asking for size gives, 0 if none. */
static int
error_of(MemoryContext context, char *volatile pointer, Size size)
{
	volatile int code = 0;

	PG_TRY();
	{
		if (pointer)
			pointer = repalloc_huge(pointer, size);
		else
			pointer = MemoryContextAllocHuge(context, size);
	}
	PG_CATCH();
	{
		code = geterrcode();
		FlushErrorState();
	}
	PG_END_TRY();
	return code;
}

/* Out of memory is an ordinary error, and nothing is lost. */
Datum
jemctx_test_no_memory(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);

	for (int i = 0; i < lengthof(sizes); i++)
	{
		char	   *data = MemoryContextAlloc(context, sizes[i]);
		Size		before = MemoryContextMemAllocated(context, false);

		fill(data, sizes[i], 5);
		check(error_of(context, NULL, MaxAllocHugeSize) == ERRCODE_OUT_OF_MEMORY);
		check(error_of(context, data, MaxAllocHugeSize) == ERRCODE_OUT_OF_MEMORY);
		check(MemoryContextMemAllocated(context, false) == before);
		check(filled(data, sizes[i], 5));
		pfree(data);
	}
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

#define SLOTS 500
#define CONTEXTS 4

typedef struct Slot
{
	char	   *data;
	Size		size;
	unsigned char seed;
} Slot;

/* Many small, few large. */
static Size
random_size(pg_prng_state *state)
{
	Size		limit = (Size) 16 << (int) (pg_prng_double(state) * pg_prng_double(state) * 15);

	return pg_prng_double(state) * limit;
}

static void
take_slot(Slot *slot, MemoryContext context, pg_prng_state *state)
{
	slot->size = random_size(state);
	slot->seed = pg_prng_double(state) * 256;
	if (slot->data == NULL)
		slot->data = MemoryContextAlloc(context, slot->size);
	else
		slot->data = repalloc(slot->data, slot->size);
	fill(slot->data, slot->size, slot->seed);
}

static void
check_slot(Slot *slot)
{
	check(filled(slot->data, slot->size, slot->seed));
}

/* Forget the slots of a context that was reset. */
static void
clear_slots(Slot *slots, int context)
{
	for (int i = context; i < SLOTS; i += CONTEXTS)
		slots[i].data = NULL;
}

/* Random sizes, lives, resizes and resets in several contexts at once. */
Datum
jemctx_test_torture(PG_FUNCTION_ARGS)
{
	pg_prng_state state;
	int			steps = PG_GETARG_INT32(2);
	Slot	   *slots = palloc0(SLOTS * sizeof(Slot));
	MemoryContext contexts[CONTEXTS];

	pg_prng_seed(&state, PG_GETARG_INT32(1));
	for (int i = 0; i < CONTEXTS; i++)
		contexts[i] = test_context(fcinfo);
	for (int step = 0; step < steps; step++)
	{
		int			i = pg_prng_double(&state) * SLOTS;
		Slot	   *slot = &slots[i];

		CHECK_FOR_INTERRUPTS();
		if (slot->data != NULL)
			check_slot(slot);
		if (slot->data != NULL && pg_prng_double(&state) < 0.5)
		{
			pfree(slot->data);
			slot->data = NULL;
		}
		else
			take_slot(slot, contexts[i % CONTEXTS], &state);
		if (pg_prng_double(&state) < 0.0005)
		{
			MemoryContextReset(contexts[i % CONTEXTS]);
			clear_slots(slots, i % CONTEXTS);
		}
	}
	for (int i = 0; i < SLOTS; i++)
	{
		if (slots[i].data != NULL)
			check_slot(&slots[i]);
	}
	for (int i = 0; i < CONTEXTS; i++)
		MemoryContextDelete(contexts[i]);
	PG_RETURN_VOID();
}

Datum
jemctx_test_double_free(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	char	   *data = MemoryContextAlloc(context, 100);

	pfree(data);
	pfree(data);
	PG_RETURN_VOID();
}
