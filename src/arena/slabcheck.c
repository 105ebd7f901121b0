/*-------------------------------------------------------------------------
 *
 * slabcheck.c
 *	  Are the slabs as they must be?  In checking builds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/slab.h"
#include "arena/slabcheck.h"

#ifdef JEMCTX_CHECKING

/* Is that where a chunk of the class may stand in the slab? */
static bool
is_place(const ChunkSlab *slab, const ChunkClass *class, const void *chunk)
{
	Size		offset = (const char *) chunk - slab->chunks;

	return &slab_classes[slab->class] == class && offset % class->size == 0 &&
		offset / class->size < slab->fresh;
}

/* Returns the number of problems that were reported. */
static int
check_class(const ChunkClass *class)
{
	int			problems = 0;
	dlist_iter	iter;

	if (class->current != NULL && !slab_is_sound(class->current))
		problems++;
	for (uint32 i = 0; i < class->nhot; i++)
	{
		if (!is_place(slab_by_number(class->hot_slabs[i]), class, class->hot[i]))
			problems++;
	}
	dlist_foreach(iter, (dlist_head *) &class->partial)
	{
		const ChunkSlab *slab = dlist_container(ChunkSlab, node, iter.cur);

		if (!slab->listed || slab->live == 0 || !slab_is_sound(slab))
			problems++;
	}
	if (problems > 0)
		elog(WARNING, "problem in slabs of persistent chunks of %u bytes: %d of them are broken",
			 class->size, problems);
	return problems;
}

int
slabcheck_all(void)
{
	int			problems = 0;

	for (uint32 class = 0; class < slab_nclasses; class++)
		problems += check_class(&slab_classes[class]);
	return problems;
}

#endif
