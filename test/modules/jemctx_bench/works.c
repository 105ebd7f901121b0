/*-------------------------------------------------------------------------
 *
 * works.c
 *	  The works: what memory contexts are used for, reduced to its pattern.
 *
 * Sizes and choices come from a generator with a fixed seed, so that every
 * kind of context does the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "bench.h"
#include "count.h"
#include "random.h"

#define SIZES 4096				/* a power of two */
#define SMALLEST 24
#define LARGEST 276
#define PAIRS 2000000
#define RESET_CHUNKS 2000
#define RESET_ROUNDS 500
#define CREATES 300000
#define DOUBLING_FIRST 1024
#define DOUBLING_LAST ((Size) 64 * 1024 * 1024)
#define DOUBLING_ROUNDS 3
#define PAGE 4096
#define SLOTS 200000
#define PHASES 8
#define REPLACEMENTS 8000000
#define KEPT_PERCENT 10
#define STACK_CHUNKS 20000
#define STACK_ROUNDS 20
#define CONTEXTS 10000
#define CONTEXT_BYTES 1024
#define CONTEXT_CHUNK 64

/* How many times less is done than otherwise, where instructions are counted. */
int			work_divisor = 1;

/* So many, or the least. */
static int
divided(int operations, int least)
{
	return Max(operations / work_divisor, least);
}

static instr_time started;

void
start_clock(void)
{
	count_begin();
	INSTR_TIME_SET_CURRENT(started);
}

/* Nanoseconds of each of so many operations since the clock was started. */
double
stop_clock(double operations)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	count_end();
	INSTR_TIME_SUBTRACT(now, started);
	return INSTR_TIME_GET_DOUBLE(now) * 1e9 / operations;
}

/* Sizes, made beforehand so that making them is not timed. */
static uint32 sizes[SIZES];

static void
make_sizes(uint32 smallest, uint32 largest)
{
	random_seed(0);
	for (int i = 0; i < SIZES; i++)
		sizes[i] = between(smallest, largest);
}

static void
time_pairs(ContextMaker make, WorkResult *result)
{
	MemoryContext context = make();
	int			pairs = divided(PAIRS, SIZES);

	for (int warm = 0; warm < 2; warm++)
	{
		start_clock();
		for (int i = 0; i < pairs; i++)
			pfree(MemoryContextAlloc(context, sizes[i % SIZES]));
		result->ns = stop_clock(pairs);
	}
	MemoryContextDelete(context);
}

static void
run_pairs(ContextMaker make, WorkResult *result)
{
	make_sizes(SMALLEST, LARGEST);
	time_pairs(make, result);
}

/* The same with chunks of one size, as a Slab has them. */
static void
run_fixed_pairs(ContextMaker make, WorkResult *result)
{
	make_sizes(SLAB_CHUNK, SLAB_CHUNK);
	time_pairs(make, result);
}

static void
time_reset(ContextMaker make, WorkResult *result)
{
	MemoryContext context = make();
	int			rounds = divided(RESET_ROUNDS, 5);
	void	   *chunks[RESET_CHUNKS];

	for (int warm = 0; warm < 2; warm++)
	{
		start_clock();
		for (int round = 0; round < rounds; round++)
		{
			for (int i = 0; i < RESET_CHUNKS; i++)
			{
				chunks[i] = MemoryContextAlloc(context, sizes[i]);
				*(char *) chunks[i] = 1;
			}
			reset_all(context, chunks, RESET_CHUNKS);
		}
		result->ns = stop_clock((double) rounds * RESET_CHUNKS);
	}
	MemoryContextDelete(context);
}

static void
run_reset(ContextMaker make, WorkResult *result)
{
	make_sizes(SMALLEST, LARGEST);
	time_reset(make, result);
}

static void
run_fixed_reset(ContextMaker make, WorkResult *result)
{
	make_sizes(SLAB_CHUNK, SLAB_CHUNK);
	time_reset(make, result);
}

static void
run_create(ContextMaker make, WorkResult *result)
{
	int			creates = divided(CREATES, 1000);

	for (int warm = 0; warm < 2; warm++)
	{
		start_clock();
		for (int i = 0; i < creates; i++)
		{
			MemoryContext context = make();

			*(char *) MemoryContextAlloc(context, SLAB_CHUNK) = 1;
			MemoryContextDelete(context);
		}
		result->ns = stop_clock(creates);
	}
}

static void
run_doubling(ContextMaker make, WorkResult *result)
{
	MemoryContext context = make();

	start_clock();
	for (int round = 0; round < DOUBLING_ROUNDS; round++)
	{
		Size		size = DOUBLING_FIRST;
		char	   *data = MemoryContextAlloc(context, size);

		while (size < DOUBLING_LAST / work_divisor)
		{
			data = repalloc(data, size * 2);
			for (Size offset = size; offset < size * 2; offset += PAGE)
				data[offset] = 1;
			size *= 2;
		}
		pfree(data);
	}
	result->ns = stop_clock(DOUBLING_ROUNDS);
	MemoryContextDelete(context);
}

typedef struct Slot
{
	char	   *data;
	uint32		size;
} Slot;

/* A session's own memory does not count: neither slots nor what was there before. */
static Slot *
make_slots(int count)
{
	return MemoryContextAllocZero(TopMemoryContext, count * sizeof(Slot));
}

static inline void
fill_slot(MemoryContext context, Slot *slot, uint32 size)
{
	slot->size = size;
	slot->data = MemoryContextAlloc(context, size);
	memset(slot->data, 1, size);
}

static Size
live_bytes(const Slot *slots, int count)
{
	Size		live = 0;

	for (int i = 0; i < count; i++)
		live += slots[i].size;
	return live;
}

/* Free all but a random tenth, and have the process return what it can. */
static void
free_most(Slot *slots, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (next_random() % 100 < KEPT_PERCENT)
			continue;
		pfree(slots[i].data);
		slots[i].size = 0;
	}
	purge();
}

/* The smallest and largest size of a phase: 16 to 96 bytes, doubled three times, and again. */
static uint32
phase_size(int phase)
{
	return between(16 << phase % 4, 96 << phase % 4);
}

static uint32
pareto_size(int phase)
{
	double		size = 24 / pow((next_random() + 1.0) / 4294967296.0, 1 / 1.1);

	return (uint32) Min(size, 65536);
}

/* Random replacement among slots, whose sizes a function of the phase chooses. */
static void
run_replacement(ContextMaker make, WorkResult *result, uint32 (*choose_size) (int))
{
	MemoryContext context;
	int			count = divided(SLOTS, 1);
	int			replacements = divided(REPLACEMENTS, PHASES);
	Slot	   *slots = make_slots(count);
	Size		before = resident_bytes();

	random_seed(0);
	context = make();
	for (int i = 0; i < count; i++)
		fill_slot(context, &slots[i], choose_size(0));
	start_clock();
	for (int phase = 0; phase < PHASES; phase++)
	{
		for (int i = 0; i < replacements / PHASES; i++)
		{
			Slot	   *slot = &slots[next_random() % count];

			pfree(slot->data);
			fill_slot(context, slot, choose_size(phase));
		}
	}
	result->ns = stop_clock(replacements);
	result->live = live_bytes(slots, count);
	result->resident = resident_bytes() - before;
	free_most(slots, count);
	result->after_free = resident_bytes() - before;
	MemoryContextDelete(context);
	pfree(slots);
}

static void
run_churn(ContextMaker make, WorkResult *result)
{
	run_replacement(make, result, phase_size);
}

static uint32
fixed_size(int phase)
{
	return SLAB_CHUNK;
}

static void
run_fixed_churn(ContextMaker make, WorkResult *result)
{
	run_replacement(make, result, fixed_size);
}

static void
run_pareto(ContextMaker make, WorkResult *result)
{
	run_replacement(make, result, pareto_size);
}

/* Allocate many, free them newest first or oldest first, several times over. */
static void
run_stack(ContextMaker make, WorkResult *result, bool newest_first)
{
	MemoryContext context;
	Slot	   *slots = make_slots(STACK_CHUNKS);
	Size		before = resident_bytes();

	make_sizes(SMALLEST, LARGEST);
	context = make();
	start_clock();
	for (int round = 0; round < STACK_ROUNDS; round++)
	{
		for (int i = 0; i < STACK_CHUNKS; i++)
			fill_slot(context, &slots[i], sizes[(i + round) % SIZES]);
		if (round == STACK_ROUNDS - 1)
			break;
		for (int i = 0; i < STACK_CHUNKS; i++)
			pfree(slots[newest_first ? STACK_CHUNKS - 1 - i : i].data);
	}
	result->ns = stop_clock((double) STACK_ROUNDS * STACK_CHUNKS);
	result->live = live_bytes(slots, STACK_CHUNKS);
	result->resident = resident_bytes() - before;
	MemoryContextDelete(context);
	pfree(slots);
}

static void
run_lifo(ContextMaker make, WorkResult *result)
{
	run_stack(make, result, true);
}

static void
run_fifo(ContextMaker make, WorkResult *result)
{
	run_stack(make, result, false);
}

/* Many contexts live at once, with 1 kB in each. */
static void
run_contexts(ContextMaker make, WorkResult *result)
{
	MemoryContext *contexts = MemoryContextAlloc(TopMemoryContext,
												 CONTEXTS * sizeof(MemoryContext));
	Size		before;

	memset(contexts, 0, CONTEXTS * sizeof(MemoryContext));
	before = resident_bytes();
	start_clock();
	for (int i = 0; i < CONTEXTS; i++)
	{
		contexts[i] = make();
		for (int bytes = 0; bytes < CONTEXT_BYTES; bytes += CONTEXT_CHUNK)
			memset(MemoryContextAlloc(contexts[i], CONTEXT_CHUNK), 1, CONTEXT_CHUNK);
	}
	result->ns = stop_clock(CONTEXTS);
	result->live = (Size) CONTEXTS * CONTEXT_BYTES;
	result->resident = resident_bytes() - before;
	start_clock();
	for (int i = 0; i < CONTEXTS; i++)
		MemoryContextDelete(contexts[i]);
	result->ns += stop_clock(CONTEXTS);
	purge();
	result->after_free = resident_bytes() - before;
	pfree(contexts);
}

const Work	works[] = {
	{"pairs", run_pairs},
	{"fixed_pairs", run_fixed_pairs},
	{"reset", run_reset},
	{"fixed_reset", run_fixed_reset},
	{"create", run_create},
	{"doubling", run_doubling},
	{"churn", run_churn},
	{"fixed_churn", run_fixed_churn},
	{"pareto", run_pareto},
	{"lifo", run_lifo},
	{"fifo", run_fifo},
	{"contexts", run_contexts},
};
const int	works_count = lengthof(works);
