/*-------------------------------------------------------------------------
 *
 * figures.c
 *	  Tests of what contexts say about themselves, and of where they lie.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include <dlfcn.h>

PG_FUNCTION_INFO_V1(jemctx_test_stats);
PG_FUNCTION_INFO_V1(jemctx_test_arena);

/* What a context prints must be what it adds to the totals. */
static void
compare_printed(MemoryContext context, void *passthru, const char *printed, bool to_stderr)
{
	MemoryContextCounters *counters = passthru;
	size_t		total;
	size_t		used;
	int			parsed;

	/* NOLINTNEXTLINE(cert-err34-c): the numbers are those of a size_t */
	parsed = sscanf(printed, "%zu total in %*u %*[a-z]; %*u free (%*u chunks); %zu used", &total,
					&used);
	if (parsed != 2)
		elog(ERROR, "statistics not as core prints them: %s", printed);
	check_equal(total, counters->totalspace);
	check_equal(used, counters->totalspace - counters->freespace);
}

static MemoryContextCounters
counters_of(MemoryContext context)
{
	MemoryContextCounters counters = {0};

	context->methods->stats(context, NULL, NULL, &counters, false);
	context->methods->stats(context, compare_printed, &counters, NULL, false);
	return counters;
}

static Size
used_space(MemoryContext context)
{
	MemoryContextCounters counters = counters_of(context);

	return counters.totalspace - counters.freespace;
}

/*
 * The space of each chunk is what the context has more of, as long as it is
 * in the first block, or has a block for itself; and what pfree makes free.
 */
static void
check_transient_stats(MemoryContext context)
{
	Size		empty = used_space(context);
	char	   *small = MemoryContextAlloc(context, 300);
	char	   *large = MemoryContextAlloc(context, 50000);
	Size		space = GetMemoryChunkSpace(small) + GetMemoryChunkSpace(large);

	check_equal(used_space(context), empty + space);
	check_equal(counters_of(context).totalspace, MemoryContextMemAllocated(context, false));
	check_equal(counters_of(context).nblocks, 2);
	check_equal(counters_of(context).freechunks, 0);
	pfree(small);
	check_equal(used_space(context), empty + GetMemoryChunkSpace(large));
	check_equal(counters_of(context).freechunks, 1);
	pfree(large);
	check_equal(used_space(context), empty);
	check_equal(counters_of(context).nblocks, 1);
	check_equal(counters_of(context).totalspace, MemoryContextMemAllocated(context, false));
}

/* mem_allocated is the space of all chunks, and the context's own: header and directory. */
static void
check_persistent_stats(MemoryContext context)
{
	Size		own = MemoryContextMemAllocated(context, false);
	Size		space = own;
	char	   *chunks[lengthof(test_sizes)];

	check_compare(own, >=, sizeof(MemoryContextData));
	for (int i = 0; i < lengthof(test_sizes); i++)
	{
		chunks[i] = MemoryContextAlloc(context, test_sizes[i]);
		space += GetMemoryChunkSpace(chunks[i]);
		check_compare(MemoryContextMemAllocated(context, false), >=, space);
		check_compare(MemoryContextMemAllocated(context, false), <=, space + (Size) 64 * (i + 1));
		check_equal(counters_of(context).totalspace, MemoryContextMemAllocated(context, false));
		check_equal(counters_of(context).nblocks, i + 1);
	}
	check_equal(counters_of(context).freespace, 0);
	for (int i = 0; i < lengthof(test_sizes); i++)
	{
		Size		before = MemoryContextMemAllocated(context, false);

		space = GetMemoryChunkSpace(chunks[i]);
		pfree(chunks[i]);
		check_equal(MemoryContextMemAllocated(context, false), before - space);
	}
	check_equal(counters_of(context).nblocks, 0);
	MemoryContextReset(context);
	check_equal(MemoryContextMemAllocated(context, false), own);
	check_equal(counters_of(context).totalspace, own);
}

/* The statistics agree with all that a client can know. */
Datum
jemctx_test_stats(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);

	if (lifetime_arg(fcinfo) == JEMCTX_TRANSIENT)
		check_transient_stats(context);
	else
		check_persistent_stats(context);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}

/*
 * jemalloc's number of the arena that a pointer lies in.  It knows the first
 * page of every extent, but not all of the others.
 */
static unsigned
arena_of(char *pointer)
{
	int			(*mallctl) (const char *, void *, size_t *, void *, size_t) =
	(int (*) (const char *, void *, size_t *, void *, size_t)) dlsym(RTLD_DEFAULT, "mallctl");
	unsigned	arena;
	size_t		len = sizeof(arena);

	check(mallctl != NULL);
	for (int page = 0; page < 1024; page++)
	{
		if (mallctl("arenas.lookup", &arena, &len, &pointer, sizeof(pointer)) == 0)
			return arena;
		pointer = (char *) TYPEALIGN_DOWN(4096, pointer) - 4096;
	}
	elog(ERROR, "pointer is in no arena");
	return 0;					/* keep compiler quiet */
}

/* Objects of one size that malloc gives, before they are all freed. */
#define CACHED 10

/*
 * Leave objects of the size in malloc's cache, where an allocation from
 * another arena must not find them; nor must malloc have found one that was
 * freed in such an arena.
 */
static void
fill_malloc_cache(Size size, unsigned forbidden)
{
	void	   *objects[CACHED];

	for (int i = 0; i < CACHED; i++)
	{
		objects[i] = malloc(size);
		check(objects[i] != NULL);
		check_compare(arena_of(objects[i]), !=, forbidden);
	}
	for (int i = 0; i < CACHED; i++)
		free(objects[i]);
}

/* Chunks of the size must lie in the arena, also when they are resized. */
static void
check_arena(MemoryContext context, Size size, unsigned arena)
{
	char	   *data;

	fill_malloc_cache(size + 16, arena);
	data = MemoryContextAlloc(context, size);
	check_equal(arena_of(data), arena);
	data = repalloc(data, size + size / 2);
	check_equal(arena_of(data), arena);
	if (size % 2 == 0)
		pfree(data);
}

/* The arena that the chunks of all sizes lie in, in small and large contexts. */
Datum
jemctx_test_arena(PG_FUNCTION_ARGS)
{
	MemoryContext context = test_context(fcinfo);
	unsigned	arena = arena_of(MemoryContextAlloc(context, 1000000));

	for (int round = 0; round < 20; round++)
	{
		for (int i = 0; i < lengthof(test_sizes); i++)
			check_arena(context, test_sizes[i], arena);
		for (Size size = 2048; size <= 32768; size *= 2)
			fill_malloc_cache(size, arena);
		MemoryContextReset(context);
		check_equal(arena_of(MemoryContextAlloc(context, 1)), arena);
	}
	MemoryContextDelete(context);
	PG_RETURN_INT32(arena);
}
