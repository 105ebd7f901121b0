/*-------------------------------------------------------------------------
 *
 * nsregion.c
 *	  What is left of the region of all namespaces after much use.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_test.h"

#include <math.h>

#include "miscadmin.h"
#include "portability/instr_time.h"

PG_FUNCTION_INFO_V1(jemctx_test_ns_grant);
PG_FUNCTION_INFO_V1(jemctx_test_ns_grab);
PG_FUNCTION_INFO_V1(jemctx_test_ns_replace);
PG_FUNCTION_INFO_V1(jemctx_test_ns_wear);
PG_FUNCTION_INFO_V1(jemctx_test_ns_longest);

#define MB ((Size) 1024 * 1024)

static pg_prng_state state;

/* Is there an object of that size to be had?  It is given back. */
Datum
jemctx_test_ns_grant(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Size		size = PG_GETARG_INT64(1);
	char	   *object = jemctx_namespace_allocate(ns, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);

	if (object == NULL)
		PG_RETURN_BOOL(false);
	check(jemctx_namespace_usable_size(ns, object) >= size);
	object[0] = object[size - 1] = 1;
	jemctx_namespace_free(ns, object);
	PG_RETURN_BOOL(true);
}

/* Objects that nobody touches, until so many bytes or no memory.  Returns the bytes. */
Datum
jemctx_test_ns_grab(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Size		size = PG_GETARG_INT64(1);
	int64		bytes = PG_GETARG_INT64(2);
	int64		grabbed = 0;

	while (grabbed + (int64) size <= bytes &&
		   jemctx_namespace_allocate(ns, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM) != NULL)
	{
		grabbed += size;
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_INT64(grabbed);
}

/*
 * Ten objects of 1 to 20 MB, about 100 MB, replaced at random so many times; how
 * many were refused.
 */
Datum
jemctx_test_ns_replace(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	void	   *objects[10] = {NULL};
	int			refused = 0;

	pg_prng_seed(&state, 1);
	for (int i = 0; i < PG_GETARG_INT32(1); i++)
	{
		int			which = (int) pg_prng_uint64_range(&state, 0, lengthof(objects) - 1);

		if (objects[which] != NULL)
			jemctx_namespace_free(ns, objects[which]);
		objects[which] = jemctx_namespace_allocate(ns, pg_prng_uint64_range(&state, 1, 20) * MB,
												   MCXT_ALLOC_NO_OOM);
		refused += objects[which] == NULL;
	}
	for (int i = 0; i < lengthof(objects); i++)
	{
		if (objects[i] != NULL)
			jemctx_namespace_free(ns, objects[i]);
	}
	PG_RETURN_INT32(refused);
}

/*
 * Allocate objects of 16 B to 20 MB in eight namespaces at random, up to so
 * many bytes, free others, reset and drop the namespaces; how many were
 * refused.  Nothing is left.
 */
#define WORN 8
#define WORN_OBJECTS 2000

typedef struct Worn
{
	char		name[32];
	JemctxNamespace *ns;
	int			count;
	Size		bytes;
	void	   *objects[WORN_OBJECTS];
} Worn;

/* All orders of magnitude are as likely. */
static Size
any_size(void)
{
	return 16 * pow(20.0 * MB / 16, pg_prng_double(&state));
}

static void
free_any(Worn *worn)
{
	int			which = (int) pg_prng_uint64_range(&state, 0, worn->count - 1);

	worn->bytes -= jemctx_namespace_usable_size(worn->ns, worn->objects[which]);
	jemctx_namespace_free(worn->ns, worn->objects[which]);
	worn->objects[which] = worn->objects[--worn->count];
}

/* Once in many times all of a namespace goes at once. */
static void
wear_out(Worn *worn)
{
	if (pg_prng_uint32(&state) % 2 == 0)
		jemctx_namespace_reset(worn->name);
	else
	{
		jemctx_namespace_drop(worn->name);
		worn->ns = jemctx_namespace_create(worn->name, 0);
	}
	worn->count = 0;
	worn->bytes = 0;
}

static bool
wear(Worn *worn, Size most)
{
	Size		size = any_size();
	void	   *object;

	while (worn->count == WORN_OBJECTS || (worn->count > 0 && worn->bytes + size > most))
		free_any(worn);
	object = jemctx_namespace_allocate(worn->ns, size, MCXT_ALLOC_NO_OOM);
	if (object == NULL)
		return false;
	*(char *) object = 1;
	worn->objects[worn->count++] = object;
	worn->bytes += jemctx_namespace_usable_size(worn->ns, object);
	return true;
}

Datum
jemctx_test_ns_wear(PG_FUNCTION_ARGS)
{
	int			rounds = PG_GETARG_INT32(0);
	Size		most = PG_GETARG_INT64(1);
	Worn	   *worn = palloc0(WORN * sizeof(Worn));
	int			refused = 0;

	pg_prng_seed(&state, 1);
	for (int i = 0; i < WORN; i++)
	{
		snprintf(worn[i].name, sizeof(worn[i].name), "worn %d", i);
		worn[i].ns = jemctx_namespace_create(worn[i].name, 0);
	}
	for (int i = 0; i < rounds; i++)
	{
		Worn	   *one = &worn[pg_prng_uint32(&state) % WORN];

		CHECK_FOR_INTERRUPTS();
		if (pg_prng_uint32(&state) % 1000 == 0)
			wear_out(one);
		refused += !wear(one, most / WORN);
	}
	for (int i = 0; i < WORN; i++)
		jemctx_namespace_drop(worn[i].name);
	PG_RETURN_INT32(refused);
}

/* Have objects of that size allocated and freed for so many ms; the longest that took, in us. */
Datum
jemctx_test_ns_longest(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = namespace_arg(fcinfo);
	Size		size = PG_GETARG_INT64(1);
	double		ms = PG_GETARG_INT32(2);
	double		longest = 0;
	instr_time	begin;
	instr_time	before;
	instr_time	after;

	INSTR_TIME_SET_CURRENT(begin);
	do
	{
		CHECK_FOR_INTERRUPTS();
		INSTR_TIME_SET_CURRENT(before);
		jemctx_namespace_free(ns, jemctx_namespace_allocate(ns, size, 0));
		INSTR_TIME_SET_CURRENT(after);
		longest = Max(longest, INSTR_TIME_GET_MILLISEC(after) - INSTR_TIME_GET_MILLISEC(before));
	} while (INSTR_TIME_GET_MILLISEC(after) - INSTR_TIME_GET_MILLISEC(begin) < ms);
	PG_RETURN_INT32(longest * 1000);
}
