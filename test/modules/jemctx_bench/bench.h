/*-------------------------------------------------------------------------
 *
 * bench.h
 *	  Works on memory contexts, timed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef BENCH_H
#define BENCH_H

#include "postgres.h"

/* Bytes of a chunk where all have one size, which is all that a Slab can do. */
#define SLAB_CHUNK 128

/* Makes contexts of one kind. */
typedef MemoryContext (*ContextMaker) (void);

typedef struct WorkResult
{
	double		ns;				/* of one operation */
	Size		live;			/* bytes asked for and not freed at the end */
	Size		resident;		/* bytes that the process has grown by until then */
	Size		after_free;		/* the same after freeing 90 % of it and a purge */
} WorkResult;

typedef struct Work
{
	const char *name;
	void		(*run) (ContextMaker make, WorkResult *result);
} Work;

extern const Work works[];
extern const int works_count;
extern int	work_divisor;

/* works.c */
extern void start_clock(void);
extern double stop_clock(double operations);

/* floor.c */
extern MemoryContext make_floor(void);
extern void reset_all(MemoryContext context, void *const *chunks, int count);

/* memory.c */
extern Size resident_bytes(void);
extern void purge(void);

#endif							/* BENCH_H */
