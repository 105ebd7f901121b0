/*-------------------------------------------------------------------------
 *
 * clock.h
 *	  Time that nobody sets: for whatever is to happen after a while.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CLOCK_H
#define JEMCTX_CLOCK_H

#include "postgres.h"

#include <time.h>

/* Milliseconds since some moment, the same for all processes. */
static inline int64
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif							/* JEMCTX_CLOCK_H */
