/*-------------------------------------------------------------------------
 *
 * major.h
 *	  What differs between PostgreSQL's majors, for the modules of the tests.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MAJOR_H
#define JEMCTX_MAJOR_H

#include "postgres.h"

/* Is there a pointer to its context before a chunk, and nothing else?  No table of methods then. */
#define MAJOR_HAS_VTABLES (PG_VERSION_NUM < 160000)

/* A row of that table that jemctx takes. */
#define MAJOR_ROW (PG_VERSION_NUM >= 170000 ? 9 : 7)

/* The arguments of the function that allocates for a hash table. */
#if PG_VERSION_NUM >= 190000
#define MAJOR_HASH_ALLOC_ARGS Size size, void *arg
#else
#define MAJOR_HASH_ALLOC_ARGS Size size
#endif

/* Have a tranche of lightweight locks with that name in this process, of that id unless it is 0. */
#if PG_VERSION_NUM >= 190000
#define major_new_tranche(name) LWLockNewTrancheId(name)
#define major_register_tranche(id, name) ((void) 0)
#else
#define major_new_tranche(name) LWLockNewTrancheId()
#define major_register_tranche(id, name) LWLockRegisterTranche(id, name)
#endif

#endif							/* JEMCTX_MAJOR_H */
