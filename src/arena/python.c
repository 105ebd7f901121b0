/*-------------------------------------------------------------------------
 *
 * python.c
 *	  CPython's small objects, which functions in Python are full of.
 *
 * CPython has an allocator of its own for them, which maps memory in arenas of
 * a MB.  Nobody would count that, no limit would reach it, and an arena that
 * is free again would be unmapped and mapped anew.  It can be told where else
 * to have them from before it is initialized, so they are malloc's here: what
 * is in them is still CPython's to decide.
 *
 * Whoever brings CPython into the process calls Py_Initialize(), and finds the
 * one below first, as he finds our malloc.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>

#include "utils/guc.h"

#include "arena/caller.h"
#include "arena/malloc.h"
#include "arena/python.h"
#include "jemalloc/jemalloc.h"

/* The largest that pools in an arena have had, which are aligned to their size. */
#define POOL_SIZE ((Size) 16 * 1024)

/* What CPython calls PyObjectArenaAllocator. */
typedef struct ArenaAllocator
{
	void	   *context;
	void	   *(*alloc) (void *context, size_t size);
	void		(*free) (void *context, void *pointer, size_t size);
} ArenaAllocator;

extern PGDLLEXPORT void Py_Initialize(void);

/* Setting */
static bool python_malloc;

/* NULL is no error: CPython raises its own. */
static void *
alloc_arena(void *context, size_t size)
{
	return malloc_aligned(POOL_SIZE, size, __builtin_return_address(0));
}

static void
free_arena(void *context, void *pointer, size_t size)
{
	free(pointer);
}

/* Have CPython take its arenas from malloc, if it knows how. */
static void
take_arenas(void)
{
	ArenaAllocator allocator = {.alloc = alloc_arena, .free = free_arena};
	void		(*set) (ArenaAllocator *) =
		(void (*) (ArenaAllocator *)) dlsym(RTLD_DEFAULT, "PyObject_SetArenaAllocator");

	if (set != NULL)
		set(&allocator);
}

/*
 * The function of CPython that whoever calls ours has meant, or NULL: one of
 * the libraries that his needs.  RTLD_NEXT finds it only where this module has
 * been preloaded.
 */
static void *
find_meant(const char *function, const void *caller)
{
	Dl_info		info;
	void	   *library = NULL;
	void	   *meant;

	if (dladdr(caller, &info) != 0)
		library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (library == NULL)
		return NULL;
	meant = dlsym(library, function);
	dlclose(library);
	return meant;
}

/* In place of CPython's, which is called. */
void
Py_Initialize(void)
{
	void		(*next) (void) =
		(void (*) (void)) find_meant("Py_Initialize", __builtin_return_address(0));

	if (next == NULL)
		elog(ERROR, "could not find CPython's function Py_Initialize");
	caller_python_starts();
	if (python_malloc && jemalloc_is_malloc)
		take_arenas();
	next();
}

/* In the postmaster. */
void
python_enter(void)
{
	DefineCustomBoolVariable("jemctx.python_malloc",
							 "Has Python take memory for its objects from malloc.",
							 "So it is counted and limited. Holds from a session's first function "
							 "in Python on.",
							 &python_malloc, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
}
