/*-------------------------------------------------------------------------
 *
 * methods.h
 *	  The methods of a type of memory contexts, as PostgreSQL calls them.
 *
 * The functions of a type have one form for all majors:
 *
 *	  TypeAlloc(context, size, flags), which may be NULL for want of memory, and
 *	  what methods_no_memory() makes of that
 *	  TypeFree(context, pointer)
 *	  TypeRealloc(context, pointer, size, flags), the same
 *	  TypeGetChunkSpace(context, pointer)
 *	  TypeReset, TypeDelete, TypeIsEmpty, TypeStats as PostgreSQL has them
 *
 * Right before each chunk is a word.  15 takes it for a pointer to the
 * context, and calls that one's methods.  From 16 on its low bits are the
 * number of a row in a table of methods (see dispatch.c), and the rest is
 * ours: it is a pointer to the context all the same.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_METHODS_H
#define JEMCTX_METHODS_H

#include "postgres.h"

#include "nodes/memnodes.h"
#include "utils/memutils.h"

#if PG_VERSION_NUM >= 160000
#include "utils/memutils_internal.h"
#endif

/*
 * The rows that are ours.  Each type's own calls it without looking for it,
 * and ROW_ANY finds the methods where the context has them.  16 has one row to
 * take.  The rows 8 and 12 would be called for pointers that are none to chunks.
 */
#if PG_VERSION_NUM >= 170000
#define ROW_TRANSIENT 13
#define ROW_PERSISTENT 11
#define ROW_ANY 9
#elif PG_VERSION_NUM >= 160000
#define ROW_TRANSIENT 7
#define ROW_PERSISTENT 7
#define ROW_ANY 7
#else
#define ROW_TRANSIENT 0
#define ROW_PERSISTENT 0
#define ROW_ANY 0
#endif

/* Are there rows, which have to be tried? */
#define METHODS_IN_ROWS (ROW_ANY != 0)

/* Contexts have addresses that leave room for the number of a row. */
#define CONTEXT_ALIGNMENT 16

/* The word right before a chunk. */
typedef uintptr_t ChunkOwner;

static inline ChunkOwner
chunk_owner(MemoryContext context, int row)
{
	return (ChunkOwner) context | row;
}

static inline MemoryContext
owner_context(ChunkOwner owner)
{
	return (MemoryContext) (owner & ~(ChunkOwner) (CONTEXT_ALIGNMENT - 1));
}

static inline ChunkOwner
pointer_owner(const void *pointer)
{
	return ((const ChunkOwner *) pointer)[-1];
}

static inline MemoryContext
pointer_context(const void *pointer)
{
	return owner_context(pointer_owner(pointer));
}

/* Raise an ERROR for a size that is too large; until 16 PostgreSQL does before it calls us. */
static inline void
methods_check_size(MemoryContext context, Size size, int flags)
{
#if PG_VERSION_NUM >= 170000
	MemoryContextCheckSize(context, size, flags);
#endif
}

/* NULL, or an ERROR if that is wanted; until 16 PostgreSQL makes one of NULL. */
static inline void *
methods_no_memory(MemoryContext context, Size size, int flags)
{
#if PG_VERSION_NUM >= 170000
	return MemoryContextAllocationFailure(context, size, flags);
#else
	return NULL;
#endif
}

/*
 * A type's functions in the form that the major wants, and the members of its
 * table of methods that these are.
 */
#if PG_VERSION_NUM >= 170000
#define METHODS_FOR_ALLOC(Type)
#define METHOD_ALLOC(Type) .alloc = Type##Alloc
#define METHODS_REALLOC(Type) \
static inline void * \
Type##ReallocMethod(void *pointer, Size size, int flags) \
{ \
	return Type##Realloc(pointer_context(pointer), pointer, size, flags); \
}
#else
#define METHODS_FOR_ALLOC(Type) \
static inline void * \
Type##AllocMethod(MemoryContext context, Size size) \
{ \
	return Type##Alloc(context, size, 0); \
}
#define METHOD_ALLOC(Type) .alloc = Type##AllocMethod
#if PG_VERSION_NUM >= 160000
#define METHODS_REALLOC(Type) \
static inline void * \
Type##ReallocMethod(void *pointer, Size size) \
{ \
	return Type##Realloc(pointer_context(pointer), pointer, size, 0); \
}
#else
#define METHODS_REALLOC(Type) \
static inline void * \
Type##ReallocMethod(MemoryContext context, void *pointer, Size size) \
{ \
	return Type##Realloc(context, pointer, size, 0); \
}
#endif
#endif

#if PG_VERSION_NUM >= 160000
extern MemoryContext methods_get_chunk_context(void *pointer);

#define METHODS_FOR_CHUNKS(Type) \
METHODS_REALLOC(Type) \
static inline void \
Type##FreeMethod(void *pointer) \
{ \
	Type##Free(pointer_context(pointer), pointer); \
} \
static inline Size \
Type##GetChunkSpaceMethod(void *pointer) \
{ \
	return Type##GetChunkSpace(pointer_context(pointer), pointer); \
}
#define METHODS_OF_CHUNKS(Type) \
	.free_p = Type##FreeMethod, \
	.realloc = Type##ReallocMethod, \
	.get_chunk_context = methods_get_chunk_context, \
	.get_chunk_space = Type##GetChunkSpaceMethod
#else
#define METHODS_FOR_CHUNKS(Type) \
METHODS_REALLOC(Type)
#define METHODS_OF_CHUNKS(Type) \
	.free_p = Type##Free, \
	.realloc = Type##ReallocMethod, \
	.get_chunk_space = Type##GetChunkSpace
#endif

/* All that a type has; METHODS_DEFINE comes before the table. */
#define METHODS_DEFINE(Type) \
METHODS_FOR_ALLOC(Type) \
METHODS_FOR_CHUNKS(Type)
#define METHODS_OF(Type) \
	METHOD_ALLOC(Type), \
	METHODS_OF_CHUNKS(Type), \
	.reset = Type##Reset, \
	.delete_context = Type##Delete, \
	.is_empty = Type##IsEmpty, \
	.stats = Type##Stats

/* For a type that has nothing to check, where PostgreSQL calls a method for it. */
#ifdef MEMORY_CONTEXT_CHECKING
static inline void
methods_check_nothing(MemoryContext context)
{
}
#define METHODS_CHECK_NOTHING .check = methods_check_nothing,
#else
#define METHODS_CHECK_NOTHING
#endif

/*
 * Fill and link the header of a context, whose own fields are set already;
 * nothing in here can throw.  Core's assertions accept only the tags of its
 * own contexts, so ours call themselves AllocSets; nobody else looks at it.
 */
static inline void
methods_create_context(MemoryContext node, const MemoryContextMethods *methods,
					   MemoryContext parent, const char *name)
{
	Assert(methods->free_p == NULL || ((uintptr_t) node & (CONTEXT_ALIGNMENT - 1)) == 0);
#if PG_VERSION_NUM >= 160000
	MemoryContextCreate(node, T_AllocSetContext, MCTX_ASET_ID, parent, name);
	node->methods = methods;
#else
	MemoryContextCreate(node, T_AllocSetContext, methods, parent, name);
#endif
}

#endif							/* JEMCTX_METHODS_H */
