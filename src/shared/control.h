/*-------------------------------------------------------------------------
 *
 * control.h
 *	  What the processes of the server share about namespaces.
 *
 * One control structure in PostgreSQL's shared memory; beside it three
 * mappings that the postmaster makes, each at the same address in all
 * processes and without memory until it is touched: the region with the
 * objects, the page map (pagemap.h), and what processes count (counts.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CONTROL_H
#define JEMCTX_CONTROL_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "storage/proc.h"

#include "shared/sizes.h"

#define NAMESPACE_SLOTS 64

/* A stock with more than that is too much. */
#define STOCK_EXCESS(target) ((target) + (target) / 2 + 32)

/* Page number of no page: the region's first is never used. */
#define NO_PAGE 0

/* Slabs are kept apart by how full they are; in the first group, empty. */
#define BIN_GROUPS 9

/* The slabs of one size class of a namespace.  All fields: its lock. */
typedef struct Bin
{
	LWLock		lock;
	uint32		groups[BIN_GROUPS]; /* slabs with room, the fullest last */
	uint32		slabs;
	uint32		nonfull;
	uint64		out;			/* objects outside of slabs: used, or in magazines */
	uint64		reserved;		/* bytes that magazines may hold */
	uint64		fills;			/* times that a magazine was filled */
	uint64		flushes;		/* times that one was emptied */
} Bin;

typedef union PaddedBin
{
	Bin			bin;
	char		pad[PG_CACHE_LINE_SIZE];
} PaddedBin;

/*
 * Free slabs of one kind, ready for any size class.  All fields: stock lock;
 * the keeper takes a look without.
 */
typedef struct Stock
{
	uint32		first;
	uint32		count;
	uint32		target;			/* how many the keeper wants there; it alone writes */
	int32		taken;			/* more than given, since stock_tick() */
	uint32		waited;			/* times it was empty since then */
} Stock;

/*
 * A slot for a namespace.
 *
 * The edition tells one namespace in the slot from the next (upper half: the
 * generation) and its contents before a reset from those after (lower half).
 * The keeper changes it with the locks of all bins and of the stock held, so
 * that whoever holds one of them and finds the edition that it knows works on
 * what it believes to.
 */
typedef struct Namespace
{
	/* read by everybody, seldom written */
	pg_atomic_uint64 edition;
	int			slot;			/* constant: the slot's number */
	bool		in_use;			/* control lock */
	char		name[NAMEDATALEN];	/* control lock; empty when it is being dropped, or free */
	TimestampTz created_at;		/* control lock */
	pg_atomic_uint64 limit;		/* bytes, 0 for none */
	pg_atomic_uint64 root;		/* a pointer */

	/* written by the keeper */
	pg_atomic_uint64 committed; /* bytes of its pages: never less than it has objects */

	/* written by everybody; the first is bytes that magazines may hold */
	pg_atomic_uint64 reserved pg_attribute_aligned(PG_CACHE_LINE_SIZE);
	pg_atomic_uint64 refused;	/* allocations that failed */

	LWLock		stock_lock pg_attribute_aligned(PG_CACHE_LINE_SIZE);
	Stock		stocks[SLAB_KINDS];
	uint32		freed_large;	/* stock lock; large objects, for the keeper */
	uint64		freed_large_pages;	/* stock lock */
	uint64		large_objects;	/* stock lock; in use */
	uint64		large_pages;	/* stock lock; in use */

	PaddedBin	bins[SIZES_COUNT] pg_attribute_aligned(PG_CACHE_LINE_SIZE);
} Namespace;

#define GENERATION(edition) ((uint64) (edition) >> 32)

/* The edition after one: of the same namespace, or of the next in its slot. */
#define NEXT_EDITION(edition) (GENERATION(edition) << 32 | (uint32) ((edition) + 1))
#define NEXT_GENERATION(edition) ((GENERATION(edition) + 1) << 32 | (uint32) ((edition) + 1))

/*
 * What the tags of a namespace's pages have as their owner: another one after
 * a reset or drop, so that those of before are nobody's at once.
 */
static inline uint8
namespace_owner(const Namespace *space, uint64 edition)
{
	return 1 + space->slot + (edition & 1) * NAMESPACE_SLOTS;
}

/* Why namespaces are there or not. */
typedef enum KeeperState
{
	KEEPER_STARTING,			/* registered, not running yet */
	KEEPER_RUNNING,
	KEEPER_STOPPED,				/* by the postmaster: the server shuts down */
	KEEPER_NO_SLOT,				/* no background worker could be registered */
	KEEPER_STANDALONE,			/* no postmaster, no background workers */
	KEEPER_NO_REGION,			/* jemctx.namespace_memory = 0 */
	KEEPER_OTHER_PAGES,			/* the system's pages are not of SIZES_PAGE */
	KEEPER_NO_MAPPING			/* the kernel refused to map the region */
} KeeperState;

typedef struct NamespaceControl
{
	LWLock		lock;			/* names: which slots are in use */
	int			tranche;		/* of all locks here; constant */
	pg_atomic_uint32 state;		/* KeeperState */
	pg_atomic_uint32 keeper_sleeps; /* it waits without a timeout */
	PGPROC	   *keeper;			/* written before the state becomes RUNNING */

	/* The keeper writes. */
	pg_atomic_uint64 committed; /* bytes of the region that may hold memory */

#ifdef JEMCTX_CHECKING
	pg_atomic_uint32 failpoints[16];	/* see failpoint.h */
#endif

	Namespace	slots[NAMESPACE_SLOTS];
} NamespaceControl;

/* Set in the postmaster before it has children; NULL while there is no shared memory. */
extern NamespaceControl *control;

extern const char *control_problem(KeeperState state, const char **hint);
extern void control_require(void);
extern void control_wait(long ms);

/* Bytes that all namespaces may hold of the machine's memory; any process, any time. */
static inline Size
control_committed(void)
{
	return control != NULL ? pg_atomic_read_u64(&control->committed) : 0;
}

#endif							/* JEMCTX_CONTROL_H */
