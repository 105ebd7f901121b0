/*-------------------------------------------------------------------------
 *
 * count.h
 *	  Have valgrind's callgrind count the instructions of a part of a work.
 *
 * Elsewhere, and where its header is missing, this is nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef COUNT_H
#define COUNT_H

#if __has_include(<valgrind/callgrind.h>)

#include <valgrind/callgrind.h>

static inline void
count_begin(void)
{
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
}

/* Leaves a file with the counts, and which function has called which. */
static inline void
count_end(void)
{
	CALLGRIND_DUMP_STATS;
	CALLGRIND_STOP_INSTRUMENTATION;
}

#else

static inline void
count_begin(void)
{
}

static inline void
count_end(void)
{
}

#endif

#endif							/* COUNT_H */
