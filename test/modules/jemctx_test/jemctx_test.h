/*-------------------------------------------------------------------------
 *
 * jemctx_test.h
 *	  What the tests share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_TEST_H
#define JEMCTX_TEST_H

#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "extension/jemctx/jemctx.h"

/* Raise an ERROR unless the condition is true. */
#define check(condition) \
	do { \
		if (!(condition)) \
			elog(ERROR, "%s, line %d: not true: %s", __func__, __LINE__, #condition); \
	} while (0)

/* Raise an ERROR that has both values unless they compare as they must. */
#define check_compare(actual, operator, expected) \
	do { \
		int64		actual_ = (int64) (actual); \
		int64		expected_ = (int64) (expected); \
		\
		if (!(actual_ operator expected_)) \
			elog(ERROR, "%s, line %d: %s is " INT64_FORMAT ", must be %s " INT64_FORMAT " (%s)", \
				 __func__, __LINE__, #actual, actual_, #operator, expected_, #expected); \
	} while (0)

#define check_equal(actual, expected) check_compare(actual, ==, expected)

static inline JemctxLifetime
lifetime_arg(FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (strcmp(name, "transient") != 0 && strcmp(name, "persistent") != 0)
		elog(ERROR, "lifetime must be transient or persistent, not \"%s\"", name);
	return strcmp(name, "transient") == 0 ? JEMCTX_TRANSIENT : JEMCTX_PERSISTENT;
}

static inline MemoryContext
test_context(FunctionCallInfo fcinfo)
{
	return JemctxContextCreate(CurrentMemoryContext, "test", lifetime_arg(fcinfo));
}

/* A pattern that differs from chunk to chunk, and from byte to byte. */
static inline void
fill(char *data, Size size, unsigned char seed)
{
	for (Size i = 0; i < size; i++)
		data[i] = (char) (seed + i * 7);
}

/* The first byte that is not as fill() left it, or size. */
static inline Size
first_wrong_byte(const char *data, Size size, unsigned char seed)
{
	Size		i = 0;

	while (i < size && data[i] == (char) (seed + i * 7))
		i++;
	return i;
}

/* The test is in the function that calls, so that the message names it. */
#define check_filled(data, size, seed) \
	check_equal(first_wrong_byte(data, size, seed), size)

/* A size that is small mostly, and large as rarely as the power says: Pareto's distribution. */
static inline double
random_size(pg_prng_state *state, double least, double power, double most)
{
	double		size = least * pow(1.0 - pg_prng_double(state), power);

	return Min(size, most);
}

/* Put the numbers from 0 up into an order that only the state decides. */
static inline void
shuffle(int *numbers, int count, pg_prng_state *state)
{
	for (int i = 0; i < count; i++)
	{
		int			other = (int) pg_prng_uint64_range(state, 0, i);

		numbers[i] = numbers[other];
		numbers[other] = i;
	}
}

/* Sizes on both sides of every border there is, known to a client or not. */
static const Size test_sizes[] = {
	0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 240, 500, 1000, 1008, 1024,
	4064, 4079, 4080, 4081, 4096, 8191, 8192, 8193, 12288, 16384, 102400,
	262104, 262128, 262144, 1000000, 10485760
};

/* nsworkers.c: a worker of the module with that function, flags and text for it; its process */
extern pid_t start_worker(const char *name, const char *function, int flags, const char *extra,
						  Datum argument);

/* namespaces.c: the namespace that a function is called with the name of */
extern JemctxNamespace *namespace_arg(FunctionCallInfo fcinfo);

#endif							/* JEMCTX_TEST_H */
