/*-------------------------------------------------------------------------
 *
 * quarantine.c
 *	  Where the heads of large chunks that were freed stay for a while, in
 *	  checking builds.
 *
 * Freeing a chunk again reads its header.  The pages of a large chunk are
 * given back as soon as it is freed, its header with them, and PostgreSQL
 * would follow a pointer that is gone.  So the object is only made as small
 * as it can be, and freed when it has been the oldest in here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/quarantine.h"
#include "arena/unused.h"

#ifdef JEMCTX_CHECKING

/* Heads that are kept, and the size that jemalloc can shrink a large object to where it lies. */
#define HEADS 16
#define HEAD_SIZE ((Size) 16 * 1024)

static struct
{
	Arena	   *arena;
	void	   *object;
}			heads[HEADS];

static int	next_head;

static void
release(int head)
{
	if (heads[head].object != NULL)
		arena_free(heads[head].arena, heads[head].object);
	heads[head].object = NULL;
}

void
quarantine_put(Arena *arena, void *object)
{
	release(next_head);
	if (arena_usable_size(object) > HEAD_SIZE)
		je.xallocx(object, HEAD_SIZE, 0, arena->flags);
	heads[next_head].arena = arena;
	heads[next_head].object = object;
	next_head = (next_head + 1) % HEADS;
}

/* Return all of them to their arenas. */
static void
flush(void)
{
	for (int head = 0; head < HEADS; head++)
		release(head);
}

/* In the postmaster. */
void
quarantine_enter(void)
{
	unused_add_cache(flush);
}

#endif
