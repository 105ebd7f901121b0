/*-------------------------------------------------------------------------
 *
 * checking.h
 *	  Checks around the methods of our contexts, in checking builds.
 *
 * A checking build (make CHECKING=1) puts methods of its own around those of
 * a type, so that these are the same in every build.  In an ordinary build
 * all of this is nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CONTEXT_CHECKING_H
#define JEMCTX_CONTEXT_CHECKING_H

#include "postgres.h"

#include "compat/methods.h"

#ifdef JEMCTX_CHECKING

/*
 * What the header of a chunk has more, in front of everything else: it begins
 * CHECKING_HEADER bytes before the data.
 */
typedef struct CheckedFields
{
	Size		requested;		/* bytes asked for; overwritten while it is free */
	uintptr_t	seal;			/* proves the header; while free, the context's name */
} CheckedFields;

#define CHECKING_FIELDS CheckedFields checked;
#define CHECKING_HEADER 32

typedef void (*ChunkVisitor) (MemoryContext context, void *pointer);

/* What a type does. */
typedef struct CheckedFunctions
{
	void	   *(*alloc) (MemoryContext context, Size size, int flags);
	void		(*free) (MemoryContext context, void *pointer);
	void	   *(*realloc) (MemoryContext context, void *pointer, Size size, int flags);
	void		(*reset) (MemoryContext context);
	void		(*delete) (MemoryContext context);
	Size		(*get_chunk_space) (MemoryContext context, void *pointer);
	bool		(*is_empty) (MemoryContext context);
	void		(*stats) (MemoryContext context, MemoryStatsPrintFunc printfunc, void *passthru,
						  MemoryContextCounters *totals, bool print_to_stderr);
} CheckedFunctions;

#define CHECKED_FUNCTIONS(Type) { \
	.alloc = Type##Alloc, \
	.free = Type##Free, \
	.realloc = Type##Realloc, \
	.reset = Type##Reset, \
	.delete = Type##Delete, \
	.get_chunk_space = Type##GetChunkSpace, \
	.is_empty = Type##IsEmpty, \
	.stats = Type##Stats \
}

/* A type of contexts. */
typedef struct CheckedType
{
	MemoryContextMethods methods;	/* must be first: what contexts have */
	CheckedFunctions inner;

	/* Is the pointer, whose header is sealed, where the context's chunks are? */
	bool		(*owns) (MemoryContext context, void *pointer);

	/* Bytes that a chunk has for data and sentinel. */
	Size		(*data_size) (void *pointer);

	/* Visit all chunks that are not free. */
	void		(*visit) (MemoryContext context, ChunkVisitor visitor);

	/* Report what is wrong with the context's lists by checking_problem(). */
	void		(*check_lists) (MemoryContext context);
} CheckedType;

extern void *CheckedAlloc(MemoryContext context, Size size, int flags);
extern void CheckedFree(MemoryContext context, void *pointer);
extern void *CheckedRealloc(MemoryContext context, void *pointer, Size size, int flags);
extern void CheckedReset(MemoryContext context);
extern void CheckedDelete(MemoryContext context);
extern Size CheckedGetChunkSpace(MemoryContext context, void *pointer);
extern bool CheckedIsEmpty(MemoryContext context);
extern void CheckedStats(MemoryContext context, MemoryStatsPrintFunc printfunc, void *passthru,
						 MemoryContextCounters *totals, bool print_to_stderr);
extern void checking_check(MemoryContext context);

METHODS_DEFINE(Checked)

/* The methods of each type in a checking build. */
#define CHECKED_METHODS { \
	METHODS_OF(Checked), \
	CHECKED_METHODS_CHECK \
}
#ifdef MEMORY_CONTEXT_CHECKING
#define CHECKED_METHODS_CHECK .check = checking_check,
#else
#define CHECKED_METHODS_CHECK
#endif

extern void checking_created(MemoryContext context);
extern bool checking_header_is_right(MemoryContext context, const void *pointer);
extern void checking_problem(MemoryContext context, const char *problem, const void *pointer);
extern Size checking_requested(MemoryContext context);
extern int	checking_all(void);

#else

#define CHECKING_FIELDS

static inline void
checking_created(MemoryContext context)
{
}

/* Where a context takes a block or enlarges its directory. */
static inline void
checking_check(MemoryContext context)
{
}

#endif

#endif							/* JEMCTX_CONTEXT_CHECKING_H */
