/*-------------------------------------------------------------------------
 *
 * random.h
 *	  Random numbers that cost next to nothing, for works that are timed.
 *
 * xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift
 * generators", 2016.  Each process and each file that includes this has a
 * state of its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RANDOM_H
#define RANDOM_H

#include "postgres.h"

static uint64 random_state;

/* The same numbers for the same stream in every run. */
static inline void
random_seed(uint32 stream)
{
	random_state = UINT64CONST(88172645463325252) + stream;
}

static inline uint32
next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32) ((random_state * UINT64CONST(2685821657736338717)) >> 32);
}

static inline uint32
between(uint32 low, uint32 high)
{
	return low + next_random() % (high - low + 1);
}

#endif							/* RANDOM_H */
