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
 * JEMCTX_PERSISTENT: as long as the session, freed piece by piece.  All such
 * contexts share the process's persistent arena: a freed chunk can be used at
 * once by any other of them, and empty pages go back to the system.
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

/*
 * Namespaces: data that all processes share and that outlives them.
 *
 * A pointer to an object of a namespace is valid in every process of the
 * server, as it is; any process may free it.  The handle is this process's
 * own: get it with find, by name, in each process; it need not be freed.
 * Objects are there until they are freed, or the namespace is reset or
 * dropped, or the server stops or crashes.  Nothing is undone at the end of a
 * transaction.
 *
 * jemctx does not lock the data: who changes it while others look must.
 *
 * Not to be called in a critical section or a signal handler.  Where
 * namespaces cannot be had, ERROR 55000 says why.  With a handle of a
 * namespace that was dropped, every function raises ERROR 42704, also when
 * there is another of that name.
 */
typedef struct JemctxNamespace JemctxNamespace;

/*
 * Make a namespace.  size_limit is in bytes; 0: the region is the limit.  The
 * name has 1 to 63 printable ASCII characters.
 *
 * Raises ERROR 42710 if there is one of that name, 42602 if it is no name,
 * 54000 if there are too many, 53200 (out of memory); an ERROR means that
 * none was made.
 */
extern PGDLLEXPORT JemctxNamespace *jemctx_namespace_create(const char *name, Size size_limit);

/* The namespace with that name.  If there is none: NULL if missing_ok, else ERROR 42704. */
extern PGDLLEXPORT JemctxNamespace *jemctx_namespace_find(const char *name, bool missing_ok);

/*
 * The namespace with that name, made with that limit if there is none; whoever
 * comes first makes it.
 */
extern PGDLLEXPORT JemctxNamespace *jemctx_namespace_find_or_create(const char *name,
																	Size size_limit);

/*
 * Free all that is in a namespace, and with drop the namespace itself.  If
 * there is none of that name, or somebody else drops it first, ERROR 42704; if
 * somebody else drops it first and it is made again, it is the new one.
 *
 * Nobody may use the objects any more.  That memory stays mapped: a process
 * that still looks there reads zeros or other data, and the functions below
 * reject pointers to it where nothing has taken their place.  Where objects of
 * the size have, an object that is gone is taken for the one there: as free,
 * and so as freed already, or as in use.
 */
extern PGDLLEXPORT void jemctx_namespace_drop(const char *name);
extern PGDLLEXPORT void jemctx_namespace_reset(const char *name);

/* The limit in bytes.  What is above a lowered limit stays. */
extern PGDLLEXPORT void jemctx_namespace_set_limit(JemctxNamespace *ns, Size size_limit);
extern PGDLLEXPORT Size jemctx_namespace_limit(JemctxNamespace *ns);

/*
 * Allocate an object, aligned to 16 bytes.  flags are those of palloc_extended:
 * MCXT_ALLOC_HUGE, MCXT_ALLOC_NO_OOM, MCXT_ALLOC_ZERO.
 *
 * May wait for the keeper for microseconds, and for 20 s at most; that wait
 * can be interrupted.  Raises ERROR 53200 when there is no memory, or returns
 * NULL with MCXT_ALLOC_NO_OOM.
 */
extern PGDLLEXPORT void *jemctx_namespace_allocate(JemctxNamespace *ns, Size size, int flags);

/*
 * Free an object.  Never waits for the keeper, and needs no memory.
 *
 * Raises ERROR 22023, and changes nothing, if the pointer is not one to an
 * object of the namespace.  An object that was freed already is detected
 * - at once, if it was the last that this process freed in its size class, or
 *   is in no process's cache any more;
 * - later, by a call that frees another object, when this process returns what
 *   it keeps to its namespace, and before the object goes to another process;
 * - not at all, if it has been allocated again before that, or is in the caches
 *   of two processes, which both have freed it.
 */
extern PGDLLEXPORT void jemctx_namespace_free(JemctxNamespace *ns, void *pointer);

/*
 * Bytes that the object has: what was asked for, or more.  Errors as above;
 * here, an object in this process's cache is always detected.
 */
extern PGDLLEXPORT Size jemctx_namespace_usable_size(JemctxNamespace *ns, void *pointer);

/*
 * Return the free objects that this process keeps to be fast to their
 * namespaces, where others can have them.  That happens by itself when it
 * stops using them, at the end of a transaction or in one of the functions
 * here; a process that runs no transactions calls this before it waits for
 * long.
 */
extern PGDLLEXPORT void jemctx_namespace_flush(void);

/*
 * The namespace as a memory context: palloc, repalloc and pfree of its chunks
 * work in every process, as do List, StringInfo, copyObject and simplehash.h.
 * A chunk costs 16 bytes.  hash_create() would make a private context below
 * it, and must not be used.
 *
 * Nothing may be below it: no child contexts, no callbacks.
 * MemoryContextReset resets the namespace, everybody's objects, and is ERROR
 * 42704 if it was dropped; to delete the context is an ERROR.
 * MemoryContextMemAllocated is what the namespace held when this function was
 * called; MemoryContextIsEmpty is always false.
 */
extern PGDLLEXPORT MemoryContext jemctx_namespace_context(JemctxNamespace *ns);

/*
 * A pointer that every process can ask for, to find the data; NULL at first
 * and after a reset.  What is written before it is set is seen by who reads it.
 */
extern PGDLLEXPORT void jemctx_namespace_set_root(JemctxNamespace *ns, void *root);
extern PGDLLEXPORT void *jemctx_namespace_root(JemctxNamespace *ns);

#endif							/* JEMCTX_H */
