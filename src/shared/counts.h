/*-------------------------------------------------------------------------
 *
 * counts.h
 *	  How many free objects each process keeps of each namespace.
 *
 * The objects themselves are in its magazines, in its own memory.  These stand
 * in shared memory, so that everybody can tell what is cached where.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_COUNTS_H
#define JEMCTX_COUNTS_H

#include "postgres.h"

#include "port/atomics.h"

#include "shared/sizes.h"

/* One process's, of one namespace.  Others only read, but for the request. */
typedef struct Counts
{
	pg_atomic_uint64 edition;	/* whose objects these are */
	pg_atomic_uint32 flush_wanted;	/* the keeper asks for them */
	pg_atomic_uint32 sum;		/* the keeper's: what it saw the last time */
	uint16		cached[SIZES_COUNT];	/* in magazines, with the one allocated last */
	uint16		draining[SIZES_COUNT];	/* of draining slabs, to be given to the depot */
} Counts;

extern bool counts_map(void);
extern Counts *counts_of(int process, int slot);

#endif							/* JEMCTX_COUNTS_H */
