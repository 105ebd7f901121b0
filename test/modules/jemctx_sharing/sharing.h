/*-------------------------------------------------------------------------
 *
 * sharing.h
 *	  Works on shared memory, timed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SHARING_H
#define SHARING_H

#include "postgres.h"

#include "port/atomics.h"
#include "utils/dsa.h"

#include "extension/jemctx/jemctx.h"

#define RING 4096				/* a power of two */
#define MOST_PROCESSES 16

/* What the processes of a work share, in a namespace of its own. */
typedef struct Common
{
	uint32		generation;		/* of the namespace and the area */
	dsa_handle	area;
	int			tranche;
	pg_atomic_uint32 arrived[MOST_PROCESSES + 1];	/* processes, over all works with so many */

	/* from producer to consumer */
	pg_atomic_uint64 written pg_attribute_aligned(PG_CACHE_LINE_SIZE);
	pg_atomic_uint64 read pg_attribute_aligned(PG_CACHE_LINE_SIZE);
	uint64		ring[RING] pg_attribute_aligned(PG_CACHE_LINE_SIZE);
} Common;

/* A process's part in a work. */
typedef struct Part
{
	Common	   *common;
	int			process;		/* from 0 on */
	int			processes;
	int			amount;			/* what the work takes it for */

	/* result */
	double		ns;
	double		busy;			/* ns without pauses, where there are any */
	double		p99;			/* ns */
	Size		live;			/* bytes at the end */
} Part;

typedef struct Work
{
	const char *name;
	void		(*run) (Part *part);
} Work;

/* sharing.c */
extern void meet(Part *part);

/* peers.c: what the peers work in */
extern JemctxNamespace *bench_namespace;
extern MemoryContext bench_context;
extern dsa_area *bench_area;
extern Common *peers_open(void);
extern void peers_fresh(Size size_limit);

/* works.c */
extern const Work *find_work(const char *peer, const char *work);

#endif							/* SHARING_H */
