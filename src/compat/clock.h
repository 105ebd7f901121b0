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

#include "portability/instr_time.h"

/* Milliseconds since some moment, the same for all processes. */
static inline int64
clock_ms(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MILLISEC(now);
}

#endif							/* JEMCTX_CLOCK_H */
