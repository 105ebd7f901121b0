/*-------------------------------------------------------------------------
 *
 * fork.c
 *	  Keep jemalloc's fork handlers from touching memory for nothing.
 *
 * jemalloc locks every mutex of every arena before a fork, and unlocks or
 * makes them anew afterwards, in case another thread is inside.  All of this
 * memory is then copied for parent and child, page by page, at every
 * connection: nine pages and more an arena on either side.  The postmaster
 * has one thread, so there is nobody to wait for.
 *
 * The re-executed postmaster preloads this module before jemalloc, so that
 * jemalloc registers its handlers with the function below, which calls them
 * only in a process that has had more than one thread.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <sys/single_threaded.h>

#include "jemalloc/fork.h"

typedef int (*register_function) (void (*prepare) (void), void (*parent) (void),
								  void (*child) (void), void *dso_handle);

/* What glibc's pthread_atfork() calls; every library has a copy of that one. */
extern PGDLLEXPORT int __register_atfork(void (*prepare) (void), void (*parent) (void),
										 void (*child) (void), void *dso_handle);

/* jemalloc's own handlers, set while it initializes itself. */
static void (*jemalloc_prepare) (void);
static void (*jemalloc_parent) (void);
static void (*jemalloc_child) (void);

/* Whether the fork under way is one that they take part in. */
static bool handlers_called;

static void
prepare_fork(void)
{
	handlers_called = !__libc_single_threaded;
	if (handlers_called)
		jemalloc_prepare();
}

static void
after_fork_in_parent(void)
{
	if (handlers_called)
		jemalloc_parent();
}

static void
after_fork_in_child(void)
{
	if (handlers_called)
		jemalloc_child();
}

/* Does the function belong to jemalloc? */
static bool
is_jemallocs(void (*function) (void))
{
	void	   *mallctl = dlsym(RTLD_DEFAULT, "mallctl");
	Dl_info		function_info;
	Dl_info		mallctl_info;

	return function != NULL && mallctl != NULL &&
		dladdr((void *) function, &function_info) != 0 &&
		dladdr(mallctl, &mallctl_info) != 0 &&
		function_info.dli_fbase == mallctl_info.dli_fbase;
}

/*
 * Runs before main(), in the middle of jemalloc's initialization: nothing of
 * PostgreSQL's is there yet, and nothing may be allocated.
 */
int
__register_atfork(void (*prepare) (void), void (*parent) (void),
				  void (*child) (void), void *dso_handle)
{
	register_function next = (register_function) dlsym(RTLD_NEXT, "__register_atfork");

	if (next == NULL)
		return ENOSYS;
	if (jemalloc_prepare != NULL || !is_jemallocs(prepare) || parent == NULL || child == NULL)
		return next(prepare, parent, child, dso_handle);
	jemalloc_prepare = prepare;
	jemalloc_parent = parent;
	jemalloc_child = child;
	return next(prepare_fork, after_fork_in_parent, after_fork_in_child, dso_handle);
}

/* Is it so that an arena which nobody uses costs nothing at a fork? */
bool
fork_is_cheap(void)
{
	return jemalloc_prepare != NULL;
}
