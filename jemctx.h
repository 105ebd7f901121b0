/*-------------------------------------------------------------------------
 *
 * jemctx.h
 *	  Memory contexts on jemalloc arenas, for extensions.
 *
 * jemctx is loaded by shared_preload_libraries, so the functions below resolve
 * when a module that uses them is loaded; nothing has to be linked.
 *
 * Copyright (c) 2026, jemctx authors
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_H
#define JEMCTX_H

#include "postgres.h"

#include "nodes/memnodes.h"

/*
 * The life of the data in a context.
 *
 * JEMCTX_TRANSIENT: one statement or transaction.  Chunks are packed into
 * blocks, and freed together by a reset or delete.
 *
 * JEMCTX_PERSISTENT: as long as the session, freed piece by piece.  Every
 * chunk is an object of the process's persistent arena: once freed it can be
 * used at once by any other persistent context, and its memory goes back to
 * the system.
 */
typedef enum JemctxLifetime
{
	JEMCTX_TRANSIENT,
	JEMCTX_PERSISTENT
} JemctxLifetime;

/*
 * Create a memory context below parent (NULL for none).
 *
 * Everything that PostgreSQL does with contexts works: palloc, repalloc and
 * pfree and their variants, MemoryContextReset and MemoryContextDelete,
 * callbacks, children, MemoryContextSetParent, statistics.  The context is
 * freed by MemoryContextDelete, as with AllocSetContextCreate.
 *
 * name must be a constant string: as in core, it is not copied.
 *
 * Raises ERROR 53200 (out of memory).  Must not be called in a critical
 * section.
 */
extern PGDLLEXPORT MemoryContext JemctxContextCreate(MemoryContext parent, const char *name,
													 JemctxLifetime lifetime);

#endif							/* JEMCTX_H */
