/*-------------------------------------------------------------------------
 *
 * chunks.c
 *	  Tests of chunks: what is in them stays, and what is freed is free.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(jemctx_test_sizes);
PG_FUNCTION_INFO_V1(jemctx_test_realloc);
PG_FUNCTION_INFO_V1(jemctx_test_steps);
PG_FUNCTION_INFO_V1(jemctx_test_double_free);

/* Several chunks of each size, so that they have neighbours of their kind. */
#define COPIES 3
#define CHUNKS ((int) lengthof(test_sizes) * COPIES)

typedef enum FreeOrder
{
	FIFO,
	LIFO,
	RANDOM
} FreeOrder;

static void
order_victims(int *victims, FreeOrder order)
{
	pg_prng_state state;

	pg_prng_seed(&state, 1);
	if (order == RANDOM)
		shuffle(victims, CHUNKS, &state);
	else
	{
		for (int i = 0; i < CHUNKS; i++)
			victims[i] = order == FIFO ? i : CHUNKS - 1 - i;
	}
}

/* A chunk is aligned, its context's, and at least as large as it must be. */
static char *
take_chunk(MemoryContext context, Size size, unsigned char seed)
{
	char	   *data = MemoryContextAlloc(context, size);

	check(data == (char *) MAXALIGN(data));
	check(GetMemoryChunkContext(data) == context);
	check_compare(GetMemoryChunkSpace(data), >=, size + sizeof(MemoryContext));
	check_compare(GetMemoryChunkSpace(data), <=, MemoryContextMemAllocated(context, false));
	fill(data, size, seed);
	return data;
}

static void
fill_and_free(MemoryContext context, FreeOrder order)
{
	char	   *chunks[CHUNKS];
	int			victims[CHUNKS];

	for (int i = 0; i < CHUNKS; i++)
		chunks[i] = take_chunk(context, test_sizes[i / COPIES], i);
	order_victims(victims, order);
	for (int i = 0; i < CHUNKS; i++)
	{
		int			victim = victims[i];

		check_filled(chunks[victim], test_sizes[victim / COPIES], victim);
		pfree(chunks[victim]);
	}
}

/*
 * What a chunk may take of a directory: 8 bytes, and those of up to seven that
 * are not there yet.
 */
#define MAX_ENTRY 64

/*
 * Chunks of all sizes keep their contents beside each other, whatever is
 * freed first.  Then a persistent context has given everything back but its
 * directory, a transient one keeps blocks, and neither more than it needed the
 * first time; they give that back when they are reset.
 */
Datum
jemctx_test_sizes(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		empty = MemoryContextMemAllocated(context, false);
	Size		kept = 0;

	for (FreeOrder order = FIFO; order <= RANDOM; order++)
	{
		fill_and_free(context, order);
		if (lifetime_arg(fcinfo) == JEMCTX_PERSISTENT)
			check_compare(MemoryContextMemAllocated(context, false), <=,
						  empty + (Size) CHUNKS * MAX_ENTRY);
		if (kept == 0)
			kept = MemoryContextMemAllocated(context, false);
		else
			check_equal(MemoryContextMemAllocated(context, false), kept);
	}
	MemoryContextReset(context);
	check_equal(MemoryContextMemAllocated(context, false), empty);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* Resize a chunk that has a neighbour; neither must notice. */
static void
realloc_once(MemoryContext context, Size from, Size to)
{
	char	   *data = MemoryContextAlloc(context, from);
	char	   *neighbour = MemoryContextAlloc(context, from);

	fill(data, from, 1);
	fill(neighbour, from, 2);
	data = repalloc(data, to);
	check(data == (char *) MAXALIGN(data));
	check(GetMemoryChunkContext(data) == context);
	check_compare(GetMemoryChunkSpace(data), >=, to + sizeof(MemoryContext));
	check_filled(data, Min(from, to), 1);
	fill(data, to, 3);
	check_filled(neighbour, from, 2);
	pfree(neighbour);
	check_filled(data, to, 3);
	pfree(data);
}

/* From every size to every other, contents keep as far as both go. */
Datum
jemctx_test_realloc(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		empty = MemoryContextMemAllocated(context, false);

	for (int from = 0; from < lengthof(test_sizes); from++)
	{
		for (int to = 0; to < lengthof(test_sizes); to++)
			realloc_once(context, test_sizes[from], test_sizes[to]);
		/* blocks that are kept for all of this would hide what comes from one size */
		MemoryContextReset(context);
		check_equal(MemoryContextMemAllocated(context, false), empty);
	}
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/*
 * One chunk grows to many MB and shrinks again in small steps, and never
 * takes much more than it needs.
 */
Datum
jemctx_test_steps(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	Size		size = 1;
	Size		largest = (Size) 20 * 1024 * 1024;
	char	   *data = MemoryContextAlloc(context, size);

	fill(data, size, 9);
	while (size < largest)
	{
		Size		next = size + size / 3 + 1;

		data = repalloc(data, next);
		check_filled(data, size, 9);
		fill(data, next, 9);
		check_compare(GetMemoryChunkSpace(data), <=, next + next / 3 + 200);
		size = next;
	}
	while (size > 1)
	{
		size -= size / 3 + 1;
		data = repalloc(data, size);
		check_filled(data, size, 9);
		if (size > 16384)
			check_compare(GetMemoryChunkSpace(data), <=, size + size / 3 + 200);
	}
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/* The server must notice. */
Datum
jemctx_test_double_free(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	char	   *data = MemoryContextAlloc(context, PG_GETARG_INT32(1));

	MemoryContextAlloc(context, PG_GETARG_INT32(1));	/* keeps the run in use */
	pfree(data);
	pfree(data);
	PG_RETURN_VOID();
}
