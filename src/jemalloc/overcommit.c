/*-------------------------------------------------------------------------
 *
 * overcommit.c
 *	  Does the kernel overcommit, as jemalloc has it?
 *
 * jemalloc has asked the kernel when it started, and has mapped memory
 * accordingly.  It takes a kernel that does not say for one that does not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>

#include "jemalloc/mallctl.h"
#include "jemalloc/overcommit.h"

bool		overcommit;

/*
 * In the postmaster, while jemalloc's first arena has its own hooks: have them
 * map some memory uncommitted, and see whether they say that all of it is
 * committed.
 */
void
overcommit_enter(void)
{
	extent_hooks_t *hooks;
	size_t		size = mallctl_size("arenas.page");
	bool		zero = false;
	bool		commit = false;
	void	   *pages;

	/* NOLINTNEXTLINE(bugprone-sizeof-expression): jemalloc gives the pointer */
	mallctl_call("arena.0.extent_hooks", &hooks, sizeof(hooks), NULL, 0);
	pages = hooks->alloc(hooks, NULL, size, size, &zero, &commit, 0);
	if (pages == NULL)
		return;
	if (hooks->dalloc == NULL || hooks->dalloc(hooks, pages, size, commit, 0))
		munmap(pages, size);
	overcommit = commit;
}
