/*-------------------------------------------------------------------------
 *
 * malloc.c
 *	  malloc, in front of jemalloc's, that does not give up at once.
 *
 * At a limit an allocation may fail although the process has enough unused
 * pages, only not in one piece.  So when one was refused the process returns
 * what it does not use, and the allocation is tried again; and what a library
 * asks for is not refused like PostgreSQL's own, see overrun.c.  Who asks is
 * looked at only then.
 *
 * The re-executed postmaster preloads this module before jemalloc, so
 * everybody's malloc is the one below, and C++'s operator new.  What takes
 * memory back is jemalloc's.
 *
 * Large objects begin on a page, so that they can grow by moving their pages
 * where a copy would have both in memory for a while.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <unistd.h>

#include "arena/growth.h"
#include "arena/insist.h"
#include "arena/malloc.h"
#include "arena/memstate.h"
#include "arena/move.h"
#include "arena/scarcity.h"
#include "jemalloc/jemalloc.h"

/* The code that called the function that this is in. */
#define CALLER __builtin_return_address(0)

extern PGDLLEXPORT void *malloc(size_t size);
extern PGDLLEXPORT void *calloc(size_t count, size_t size);
extern PGDLLEXPORT void *realloc(void *pointer, size_t size);
extern PGDLLEXPORT void *aligned_alloc(size_t alignment, size_t size);
extern PGDLLEXPORT void *memalign(size_t alignment, size_t size);
extern PGDLLEXPORT void *valloc(size_t size);
extern PGDLLEXPORT int posix_memalign(void **pointer, size_t alignment, size_t size);

/* operator new and new[], each also with std::nothrow, with std::align_val_t, and with both. */
extern PGDLLEXPORT void *new_object(size_t size) __asm__("_Znwm");
extern PGDLLEXPORT void *new_array(size_t size) __asm__("_Znam");
extern PGDLLEXPORT void *new_object_or_null(size_t size,
											const void *nothrow) __asm__("_ZnwmRKSt9nothrow_t");
extern PGDLLEXPORT void *new_array_or_null(size_t size,
										   const void *nothrow) __asm__("_ZnamRKSt9nothrow_t");
extern PGDLLEXPORT void *new_aligned(size_t size, size_t alignment) __asm__("_ZnwmSt11align_val_t");
extern PGDLLEXPORT void *new_aligned_array(size_t size,
										   size_t alignment) __asm__("_ZnamSt11align_val_t");
extern PGDLLEXPORT void *new_aligned_or_null(size_t size, size_t alignment, const void *nothrow)
			__asm__("_ZnwmSt11align_val_tRKSt9nothrow_t");
extern PGDLLEXPORT void *new_aligned_array_or_null(size_t size, size_t alignment,
												   const void *nothrow)
			__asm__("_ZnamSt11align_val_tRKSt9nothrow_t");

/* Those of the library that comes after this one: jemalloc's. */
static void *(*next_malloc) (size_t size);
static void *(*next_calloc) (size_t count, size_t size);
static void *(*next_realloc) (void *pointer, size_t size);
static void *(*next_aligned_alloc) (size_t alignment, size_t size);

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
	next_aligned_alloc = (void *(*) (size_t, size_t)) dlsym(RTLD_NEXT, "aligned_alloc");
}

/*
 * What to do when jemalloc has none, out of line, so that an allocation that
 * succeeds stays short.
 */

static void *
make_malloc(const Attempt *attempt)
{
	return next_malloc(attempt->size);
}

static void *pg_noinline
malloc_again(size_t size, const void *caller)
{
	return insist_on(&(Attempt) {.make = make_malloc, .size = size, .caller = caller});
}

static void *
make_calloc(const Attempt *attempt)
{
	return next_calloc(attempt->count, attempt->size);
}

static void *pg_noinline
calloc_again(size_t count, size_t size, const void *caller)
{
	return insist_on(&(Attempt) {.make = make_calloc, .count = count, .size = size,
								 .caller = caller});
}

static void *
make_realloc(const Attempt *attempt)
{
	return next_realloc(attempt->pointer, attempt->size);
}

static void *pg_noinline
realloc_again(void *pointer, size_t size, const void *caller)
{
	return insist_on(&(Attempt) {.make = make_realloc, .pointer = pointer, .size = size,
								 .caller = caller});
}

/* The count is the alignment. */
static void *
make_aligned(const Attempt *attempt)
{
	return next_aligned_alloc(attempt->count, attempt->size);
}

/* What aligned_alloc() returns to that caller, of whom it depends what a limit means for him. */
void *
malloc_aligned(Size alignment, Size size, const void *caller)
{
	void	   *result;

	if (unlikely(next_aligned_alloc == NULL))
		find_next();
	result = scarcity_refuses(size) ? NULL : next_aligned_alloc(alignment, size);
	if (unlikely(result == NULL))
		result = insist_on(&(Attempt) {.make = make_aligned, .count = alignment, .size = size,
									   .caller = caller});
	return result;
}

static void *pg_noinline
movable_for(size_t size, const void *caller)
{
	return malloc_aligned(MOVE_PAGE, size, caller);
}

static inline void *
malloc_for(size_t size, const void *caller)
{
	void	   *result;

	if (unlikely(size >= MOVE_SMALLEST))
		return movable_for(size, caller);
	if (unlikely(next_malloc == NULL))
		find_next();
	result = scarcity_refuses(size) ? NULL : next_malloc(size);
	return likely(result != NULL) ? result : malloc_again(size, caller);
}

void *
malloc(size_t size)
{
	return malloc_for(size, CALLER);
}

void *
calloc(size_t count, size_t size)
{
	void	   *result;

	if (unlikely(next_calloc == NULL))
		find_next();
	result = scarcity_refuses(count * size) ? NULL : next_calloc(count, size);
	if (unlikely(result == NULL))
		return calloc_again(count, size, CALLER);
	return result;
}

#ifndef MEMSTATE_WATCHED
/*
 * To another place, with its contents; tools that watch memory would not follow.
 * A process at ease copies: the next statement has the old place with its pages.
 */
static bool
move(char *to, char *from, size_t size)
{
	if (size >= MOVE_SMALLEST && (uintptr_t) from % MOVE_PAGE == 0 && !growth_is_at_ease(0))
		return move_contents(to, from, size);
	memcpy(to, from, size);
	return true;
}

/* An object becomes large, or larger.  NULL if it cannot, and then it is as it was. */
static void *
grow_large(void *pointer, size_t old_size, size_t size, const void *caller)
{
	void	   *moved;

	if (je.xallocx(pointer, size, 0, 0) >= size)
		return pointer;
	moved = movable_for(size, caller);
	if (moved == NULL || !move(moved, pointer, old_size))
		return NULL;			/* what is no longer mapped cannot be freed */
	je.dallocx(pointer, 0);
	return moved;
}
#endif

/* Without a size NULL is no failure: it says that pointer has been freed. */
static void *
realloc_for(void *pointer, size_t size, const void *caller)
{
	void	   *result;

	if (unlikely(next_realloc == NULL))
		find_next();
	result = size > 0 && scarcity_refuses(size) ? NULL : next_realloc(pointer, size);
	if (unlikely(result == NULL) && size > 0)
		return realloc_again(pointer, size, caller);
	return result;
}

void *
realloc(void *pointer, size_t size)
{
#ifndef MEMSTATE_WATCHED
	if (unlikely(size >= MOVE_SMALLEST) && pointer != NULL && je.sallocx != NULL)
	{
		size_t		old_size = je.sallocx(pointer, 0);

		if (size > old_size)
			return grow_large(pointer, old_size, size, CALLER);
	}
#endif
	return realloc_for(pointer, size, CALLER);
}

/* What size and alignment must be is jemalloc's to say, which is why it may have returned NULL. */
void *
aligned_alloc(size_t alignment, size_t size)
{
	return malloc_aligned(alignment, size, CALLER);
}

void *
memalign(size_t alignment, size_t size)
{
	return malloc_aligned(alignment, size, CALLER);
}

void *
valloc(size_t size)
{
	return malloc_aligned(getpagesize(), size, CALLER);
}

int
posix_memalign(void **pointer, size_t alignment, size_t size)
{
	int			saved_errno = errno;
	void	   *result;

	if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
		return EINVAL;
	result = malloc_aligned(alignment, size, CALLER);
	errno = saved_errno;
	if (result == NULL)
		return ENOMEM;
	*pointer = result;
	return 0;
}

/*
 * There is no memory for operator new: throw std::bad_alloc as the next one in
 * line does, which may find some after all.
 */
static void *pg_noinline
throw(size_t size)
{
	void	   *(*next) (size_t) = (void *(*) (size_t)) dlsym(RTLD_NEXT, "_Znwm");

	if (next == NULL)
		abort();				/* there is no C++ that could call us */
	return next(size);
}

static void *pg_noinline
throw_aligned(size_t size, size_t alignment)
{
	void	   *(*next) (size_t, size_t) =
		(void *(*) (size_t, size_t)) dlsym(RTLD_NEXT, "_ZnwmSt11align_val_t");

	if (next == NULL)
		abort();
	return next(size, alignment);
}

void *
new_object(size_t size)
{
	void	   *result = malloc_for(size, CALLER);

	return likely(result != NULL) ? result : throw(size);
}

void *
new_array(size_t size)
{
	void	   *result = malloc_for(size, CALLER);

	return likely(result != NULL) ? result : throw(size);
}

void *
new_object_or_null(size_t size, const void *nothrow)
{
	return malloc_for(size, CALLER);
}

void *
new_array_or_null(size_t size, const void *nothrow)
{
	return malloc_for(size, CALLER);
}

void *
new_aligned(size_t size, size_t alignment)
{
	void	   *result = malloc_aligned(alignment, size, CALLER);

	return likely(result != NULL) ? result : throw_aligned(size, alignment);
}

void *
new_aligned_array(size_t size, size_t alignment)
{
	void	   *result = malloc_aligned(alignment, size, CALLER);

	return likely(result != NULL) ? result : throw_aligned(size, alignment);
}

void *
new_aligned_or_null(size_t size, size_t alignment, const void *nothrow)
{
	return malloc_aligned(alignment, size, CALLER);
}

void *
new_aligned_array_or_null(size_t size, size_t alignment, const void *nothrow)
{
	return malloc_aligned(alignment, size, CALLER);
}
