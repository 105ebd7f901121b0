/*-------------------------------------------------------------------------
 *
 * unused.c
 *	  Memory that this process holds and does not use.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/unused.h"
#include "jemalloc/jemalloc.h"
#include "jemalloc/mallctl.h"
#include "server/account.h"

/* Who keeps objects of our arenas for reuse: called before a purge. */
#define MAX_CACHES 2
static void (*caches[MAX_CACHES]) (void);
static int	ncaches = 0;

/*
 * In the postmaster: have a function called that returns to its arena what is
 * kept there for reuse.
 */
void
unused_add_cache(void (*flush) (void))
{
	Assert(ncaches < MAX_CACHES);
	caches[ncaches++] = flush;
}

/* What a node does when it is called; it does not fail. */
static void
act(const char *name)
{
	je.mallctl(name, NULL, NULL, NULL, 0);
}

/* Return every free page of this process to the system. */
void
unused_purge_pages(void)
{
	act(mallctl_arena("arena.%u.purge", MALLCTL_ARENAS_ALL));
}

/*
 * Return all unused memory of this process to the system: what caches hold,
 * then every free page.  Returns the bytes given back; raises no errors.
 */
Size
unused_purge(void)
{
	Size		before = account_committed();
	Size		after;

	for (int i = 0; i < ncaches; i++)
		caches[i] ();
	if (jemalloc_is_malloc)
		act("thread.tcache.flush");
	unused_purge_pages();
	after = account_committed();
	return before > after ? before - after : 0;
}
