/*-------------------------------------------------------------------------
 *
 * mappings.c
 *	  Tests of large chunks that grow where the kernel has few mappings left.
 *
 * The kernel counts a process's mappings, and at vm.max_map_count it refuses
 * what would make one more.  Neighbours that are alike are one mapping.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include <sys/mman.h>

#define PAGE 4096
#define MAX_MAPPINGS 1000000
#define CHUNK_SIZE ((Size) 8 * 1024 * 1024)
#define PARTS 16
#define MOST_SPARE 16
#define SPARE_STEP 4

PG_FUNCTION_INFO_V1(jemctx_test_few_mappings);

/* Mappings that take up what the process may have: one inaccessible page in two. */
typedef struct Filler
{
	char	   *pages;
	int			count;			/* of the inaccessible ones */
} Filler;

static void
use_up_mappings(Filler *filler)
{
	filler->pages = mmap(NULL, (Size) MAX_MAPPINGS * PAGE, PROT_READ,
						 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	check(filler->pages != MAP_FAILED);
	filler->count = 0;
	while (filler->count < MAX_MAPPINGS / 2 &&
		   mprotect(filler->pages + (Size) filler->count * 2 * PAGE, PAGE, PROT_NONE) == 0)
		filler->count++;
	check_compare(filler->count, <, MAX_MAPPINGS / 2);
}

/* Leave so many pairs of mappings to others. */
static void
leave_mappings(Filler *filler, int pairs)
{
	for (; pairs > 0 && filler->count > 0; pairs--)
	{
		filler->count--;
		check_equal(mprotect(filler->pages + (Size) filler->count * 2 * PAGE, PAGE, PROT_READ), 0);
	}
}

/* All of them; one by one first, since the munmap() of a sanitizer needs mappings itself. */
static void
give_back_mappings(Filler *filler)
{
	leave_mappings(filler, filler->count);
	check_equal(munmap(filler->pages, (Size) MAX_MAPPINGS * PAGE), 0);
}

/* Every other part of the chunk becomes a mapping of its own. */
static void
split_chunk(char *chunk)
{
	Size		part = CHUNK_SIZE / PARTS;
	char	   *start = (char *) TYPEALIGN(PAGE, chunk);

	for (int i = 0; i < PARTS; i += 2)
		check_equal(madvise(start + i * part, part - PAGE, MADV_DONTFORK), 0);
}

static char *
make_chunk(MemoryContext context)
{
	char	   *chunk = MemoryContextAlloc(context, CHUNK_SIZE);

	fill(chunk, CHUNK_SIZE, 3);
	split_chunk(chunk);
	return chunk;
}

/* Grow the chunk; it may fail for want of memory, and then it is as it was. */
static char *
grow(char *chunk, bool *grown)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		chunk = repalloc(chunk, CHUNK_SIZE * 2);
		*grown = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		*grown = false;
	}
	PG_END_TRY();
	return chunk;
}

/*
 * Grow chunks of several mappings with ever more mappings left for it: all of
 * what is in them must still be there.  Returns how many have grown.
 */
Datum
jemctx_test_few_mappings(PG_FUNCTION_ARGS)
{
	int			count = 0;

	for (int spare = 0; spare <= MOST_SPARE; spare += SPARE_STEP)
	{
		MemoryContext context = test_context(fcinfo);
		char	   *chunk = make_chunk(context);
		bool		grown;
		Filler		filler;

		/* what is free now will be used for the chunk, without mapping anything */
		pfree(MemoryContextAlloc(context, CHUNK_SIZE * 2));
		use_up_mappings(&filler);
		leave_mappings(&filler, spare);
		chunk = grow(chunk, &grown);
		give_back_mappings(&filler);
		check_filled(chunk, CHUNK_SIZE, 3);
		check_equal(madvise((char *) TYPEALIGN(PAGE, chunk), CHUNK_SIZE - PAGE, MADV_DOFORK), 0);
		count += grown;
		MemoryContextDelete(context);
	}
	PG_RETURN_INT32(count);
}
