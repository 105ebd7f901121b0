/*-------------------------------------------------------------------------
 *
 * malloc.c
 *	  malloc, in front of jemalloc's, that does not give up at once.
 *
 * At a limit an allocation may fail although the process has enough unused
 * pages, only not in one piece.  So when one was refused the process returns
 * what it does not use, and the allocation is tried again.
 *
 * The re-executed postmaster preloads this module before jemalloc, so
 * everybody's malloc is the one below.  In any other server nobody finds it,
 * and the limits are met a little earlier.
 *
 * C++'s operator new and the aligned variants are left to jemalloc.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>

#include "arena/arena.h"
#include "arena/limit.h"

extern PGDLLEXPORT void *malloc(size_t size);
extern PGDLLEXPORT void *calloc(size_t count, size_t size);
extern PGDLLEXPORT void *realloc(void *pointer, size_t size);

/* Those of the library that comes after this one: jemalloc's. */
static void *(*next_malloc) (size_t size);
static void *(*next_calloc) (size_t count, size_t size);
static void *(*next_realloc) (void *pointer, size_t size);

/*
 * Before main(), or at the first allocation, which the dynamic linker may make
 * before our constructor has run.  A look-up that succeeds allocates nothing.
 */
static void __attribute__((constructor))
find_next(void)
{
	next_malloc = (void *(*) (size_t)) dlsym(RTLD_NEXT, "malloc");
	next_calloc = (void *(*) (size_t, size_t)) dlsym(RTLD_NEXT, "calloc");
	next_realloc = (void *(*) (void *, size_t)) dlsym(RTLD_NEXT, "realloc");
}

/* Without a result of attempt, make it once more if that has become promising. */
#define TRY_TWICE(attempt) \
do { \
	void	   *result; \
\
	if (unlikely(next_malloc == NULL)) \
		find_next(); \
	result = (attempt); \
	if (unlikely(result == NULL) && arena_reclaim() && (result = (attempt)) == NULL) \
		limit_enforced(); \
	return result; \
} while (0)

void *
malloc(size_t size)
{
	TRY_TWICE(next_malloc(size));
}

void *
calloc(size_t count, size_t size)
{
	TRY_TWICE(next_calloc(count, size));
}

void *
realloc(void *pointer, size_t size)
{
	TRY_TWICE(next_realloc(pointer, size));
}
