/*-------------------------------------------------------------------------
 *
 * torture.c
 *	  Random sizes, lives and resizes in several contexts at once.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "miscadmin.h"

PG_FUNCTION_INFO_V1(jemctx_test_torture);

#define CONTEXTS 4
#define SLOTS 4000

/* Sizes follow Pareto's law: most are small, and a few have most of the bytes. */
#define SMALLEST 12.0
#define LARGEST (2.0 * 1024 * 1024)
#define SHAPE 0.9

/* One step in so many resets a context. */
#define RESET_RARITY 20000

/* Bytes that are filled and checked at both ends of a chunk. */
#define COOKIE 200

typedef struct Slot
{
	char	   *data;
	Size		size;
	unsigned char cookie;
} Slot;

typedef struct Torture
{
	pg_prng_state state;
	MemoryContext contexts[CONTEXTS];
	Slot		slots[SLOTS];
} Torture;

static Size
any_size(pg_prng_state *state)
{
	return random_size(state, SMALLEST, -1.0 / SHAPE, LARGEST) - SMALLEST;
}

static MemoryContext
slot_context(Torture *torture, int slot)
{
	return torture->contexts[slot % CONTEXTS];
}

static void
write_cookies(Slot *slot)
{
	Size		length = Min(slot->size, COOKIE);

	fill(slot->data, length, slot->cookie);
	fill(slot->data + slot->size - length, length, slot->cookie);
}

static void
check_slot(Torture *torture, int i)
{
	Slot	   *slot = &torture->slots[i];
	Size		length = Min(slot->size, COOKIE);

	check(GetMemoryChunkContext(slot->data) == slot_context(torture, i));
	/* the second cookie is whole, unless the chunk is too short for both */
	if (slot->size >= (Size) 2 * COOKIE)
		check_filled(slot->data, length, slot->cookie);
	check_filled(slot->data + slot->size - length, length, slot->cookie);
}

/* What is in the chunk now stays as far as the new size goes. */
static void
resize_slot(Torture *torture, int i)
{
	Slot	   *slot = &torture->slots[i];
	Size		size = any_size(&torture->state);
	Size		common = Min(Min(size, slot->size), COOKIE);

	fill(slot->data, common, slot->cookie);
	slot->data = repalloc(slot->data, size);
	check_filled(slot->data, common, slot->cookie);
	slot->size = size;
	write_cookies(slot);
}

static void
fill_slot(Torture *torture, int i)
{
	Slot	   *slot = &torture->slots[i];

	slot->size = any_size(&torture->state);
	slot->cookie = pg_prng_uint32(&torture->state);
	slot->data = MemoryContextAlloc(slot_context(torture, i), slot->size);
	write_cookies(slot);
}

static void
free_slot(Torture *torture, int i)
{
	check_slot(torture, i);
	pfree(torture->slots[i].data);
	torture->slots[i].data = NULL;
}

static void
reset_context(Torture *torture, int context)
{
	MemoryContextReset(torture->contexts[context]);
	for (int i = context; i < SLOTS; i += CONTEXTS)
		torture->slots[i].data = NULL;
}

static void
step(Torture *torture)
{
	int			i = (int) pg_prng_uint64_range(&torture->state, 0, SLOTS - 1);

	if (torture->slots[i].data == NULL)
		fill_slot(torture, i);
	else if (pg_prng_double(&torture->state) < 0.3)
	{
		check_slot(torture, i);
		resize_slot(torture, i);
	}
	else
		free_slot(torture, i);
	if (pg_prng_uint64_range(&torture->state, 1, RESET_RARITY) == 1)
		reset_context(torture, i % CONTEXTS);
}

/* Free what is left in random order. */
static void
free_all(Torture *torture)
{
	int			order[SLOTS];

	shuffle(order, SLOTS, &torture->state);
	for (int i = 0; i < SLOTS; i++)
	{
		if (torture->slots[order[i]].data != NULL)
			free_slot(torture, order[i]);
	}
}

Datum
jemctx_test_torture(PG_FUNCTION_ARGS)
{
	Torture    *torture = palloc0(sizeof(Torture));
	MemoryContext empty = test_context(fcinfo);

	pg_prng_seed(&torture->state, PG_GETARG_INT32(1));
	for (int i = 0; i < CONTEXTS; i++)
		torture->contexts[i] = test_context(fcinfo);
	for (int steps = PG_GETARG_INT32(2); steps > 0; steps--)
	{
		CHECK_FOR_INTERRUPTS();
		step(torture);
	}
#ifdef MEMORY_CONTEXT_CHECKING
	MemoryContextCheck(CurrentMemoryContext);
#endif
	free_all(torture);
	for (int i = 0; i < CONTEXTS; i++)
	{
		if (lifetime_arg(fcinfo) == JEMCTX_PERSISTENT)
			check(MemoryContextIsEmpty(torture->contexts[i]));
		MemoryContextReset(torture->contexts[i]);
		check_equal(MemoryContextMemAllocated(torture->contexts[i], false),
					MemoryContextMemAllocated(empty, false));
		MemoryContextDelete(torture->contexts[i]);
	}
	MemoryContextDelete(empty);
	PG_RETURN_VOID();
}
