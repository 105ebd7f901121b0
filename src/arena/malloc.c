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
 * everybody's malloc is the one below.
 *
 * C++'s operator new and the aligned variants are left to jemalloc.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>

#include "arena/arena.h"

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

static void *
make_malloc(const Attempt *attempt)
{
	return next_malloc(attempt->size);
}

static void *
make_calloc(const Attempt *attempt)
{
	return next_calloc(attempt->count, attempt->size);
}

static void *
make_realloc(const Attempt *attempt)
{
	return next_realloc(attempt->pointer, attempt->size);
}

void *
malloc(size_t size)
{
	void	   *result;

	if (unlikely(next_malloc == NULL))
		find_next();
	result = next_malloc(size);
	if (unlikely(result == NULL))
		result = arena_insist(&(Attempt) {.make = make_malloc, .size = size});
	return result;
}

void *
calloc(size_t count, size_t size)
{
	void	   *result;

	if (unlikely(next_malloc == NULL))
		find_next();
	result = next_calloc(count, size);
	if (unlikely(result == NULL))
		result = arena_insist(&(Attempt) {.make = make_calloc, .count = count, .size = size});
	return result;
}

/* Without a size NULL is no failure: it says that pointer has been freed. */
void *
realloc(void *pointer, size_t size)
{
	void	   *result;

	if (unlikely(next_malloc == NULL))
		find_next();
	result = next_realloc(pointer, size);
	if (unlikely(result == NULL) && size > 0)
		result = arena_insist(&(Attempt) {.make = make_realloc, .pointer = pointer, .size = size});
	return result;
}
