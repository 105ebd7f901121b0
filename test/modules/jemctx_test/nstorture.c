/*-------------------------------------------------------------------------
 *
 * nstorture.c
 *	  Several sessions hand objects of all sizes to each other.
 *
 * They share a table of places.  Whoever takes an object out of a place, which
 * is one atomic exchange, owns it: checks its contents, frees it or keeps it
 * for itself, and puts another into the place.  Phases prefer different sizes,
 * and from one to the next half of a session's own objects survive.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include "miscadmin.h"
#include "port/atomics.h"

PG_FUNCTION_INFO_V1(jemctx_test_ns_torture_begin);
PG_FUNCTION_INFO_V1(jemctx_test_ns_torture);
PG_FUNCTION_INFO_V1(jemctx_test_ns_torture_end);
PG_FUNCTION_INFO_V1(jemctx_test_ns_shift);

#define PLACES 5000
#define OWN 2000
#define PHASES 4
#define LARGEST 60000

typedef struct Object
{
	Size		size;
	uint32		cookie;
	uint32		context;		/* is it a chunk of the context? */
	char		data[FLEXIBLE_ARRAY_MEMBER];
} Object;

typedef struct Table
{
	pg_atomic_uint64 places[PLACES];
} Table;

static pg_prng_state state;

/* Mostly the phase's size, sometimes anything. */
static Size
size_in(int phase)
{
	double		any = random_size(&state, 16, -1.1, LARGEST);

	if (pg_prng_double(&state) < 0.7)
		return pg_prng_uint64_range(&state, 16 << 2 * phase, 48 << 2 * phase);
	return any;
}

static Object *
make_object(JemctxNamespace *ns, int phase)
{
	Size		size = size_in(phase);
	Size		space = offsetof(Object, data) + size;
	bool		context = pg_prng_uint32(&state) % 4 == 0;
	Object	   *object;

	if (context)
		object = MemoryContextAlloc(jemctx_namespace_context(ns), space);
	else
		object = jemctx_namespace_allocate(ns, space, 0);
	object->size = size;
	object->context = context;
	object->cookie = pg_prng_uint32(&state);
	fill(object->data, size, object->cookie);
	return object;
}

static void
check_object(const Object *object)
{
	check(object->size <= LARGEST);
	check_filled(object->data, object->size, object->cookie);
}

static void
free_object(JemctxNamespace *ns, Object *object)
{
	if (object == NULL)
		return;
	check_object(object);
	if (object->context)
		pfree(object);
	else
		jemctx_namespace_free(ns, object);
}

/* Put an object, or NULL, into a place, and own what was there. */
static Object *
exchange(Table *table, Object *object)
{
	int			place = (int) pg_prng_uint64_range(&state, 0, PLACES - 1);

	return (Object *) (uintptr_t) pg_atomic_exchange_u64(&table->places[place], (uintptr_t) object);
}

Datum
jemctx_test_ns_torture_begin(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);

	jemctx_namespace_set_root(ns, jemctx_namespace_allocate(ns, sizeof(Table), MCXT_ALLOC_ZERO));
	PG_RETURN_VOID();
}

static void
step(JemctxNamespace *ns, Table *table, Object **own, int phase)
{
	Object	  **mine = &own[pg_prng_uint64_range(&state, 0, OWN - 1)];

	switch (pg_prng_uint32(&state) % 4)
	{
		case 0:					/* hand one over, and keep what comes back */
			*mine = exchange(table, *mine);
			break;
		case 1:					/* free what another has made */
			free_object(ns, exchange(table, NULL));
			break;
		case 2:
			free_object(ns, exchange(table, make_object(ns, phase)));
			break;
		case 3:
			free_object(ns, *mine);
			*mine = make_object(ns, phase);
			break;
	}
}

Datum
jemctx_test_ns_torture(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Table	   *table = jemctx_namespace_root(ns);
	Object	  **own = palloc0(OWN * sizeof(Object *));
	int			steps = PG_GETARG_INT32(2);

	pg_prng_seed(&state, PG_GETARG_INT32(1));
	for (int phase = 0; phase < PHASES; phase++)
	{
		for (int i = 0; i < steps / PHASES; i++)
		{
			CHECK_FOR_INTERRUPTS();
			step(ns, table, own, phase);
		}
		for (int i = 0; i < OWN; i += phase < PHASES - 1 ? 2 : 1)
		{
			free_object(ns, own[i]);
			own[i] = NULL;
		}
	}
	for (int i = 1; i < OWN; i += 2)
		check(own[i] == NULL);
	PG_RETURN_VOID();
}

/* Free what is left on the table, and the table; how many were left. */
Datum
jemctx_test_ns_torture_end(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Table	   *table = jemctx_namespace_root(ns);
	int			left = 0;

	for (int i = 0; i < PLACES; i++)
	{
		Object	   *object = (Object *) (uintptr_t) pg_atomic_exchange_u64(&table->places[i], 0);

		left += object != NULL;
		free_object(ns, object);
	}
	jemctx_namespace_set_root(ns, NULL);
	jemctx_namespace_free(ns, table);
	PG_RETURN_INT32(left);
}

/*
 * Replace random objects, so many live bytes, in three phases of other sizes
 * that overlap.  What there is then stays.
 */
#define SHIFT_BYTES ((Size) 8 * 1024 * 1024)
#define SHIFT_MOST 200000

Datum
jemctx_test_ns_shift(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	void	  **objects = palloc(SHIFT_MOST * sizeof(void *));
	Size		live = 0;
	int			count = 0;

	pg_prng_seed(&state, 1);
	for (int phase = 0; phase < 3; phase++)
	{
		for (Size written = 0; written < 10 * SHIFT_BYTES;)
		{
			Size		size = pg_prng_uint64_range(&state, 48 << phase, 240 << phase);

			while (live + size > SHIFT_BYTES)
			{
				int			i = (int) pg_prng_uint64_range(&state, 0, count - 1);

				live -= jemctx_namespace_usable_size(ns, objects[i]);
				jemctx_namespace_free(ns, objects[i]);
				objects[i] = objects[--count];
			}
			objects[count] = jemctx_namespace_allocate(ns, size, 0);
			live += jemctx_namespace_usable_size(ns, objects[count++]);
			written += size;
		}
	}
	PG_RETURN_INT64(live);
}
