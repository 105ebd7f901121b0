/*-------------------------------------------------------------------------
 *
 * slabcheck.c
 *	  Are the slabs as they must be?  In checking builds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "context/slab.h"
#include "context/slabcheck.h"

#ifdef JEMCTX_CHECKING

/* Are the chunks at hand free ones of the class? */
static bool
at_hand_is_sound(const ChunkClass *class)
{
	int			count = 0;

	if (class->hot != NULL &&
		!slab_has_free(slab_by_number(HOME_SLAB(pointer_chunk(class->hot)->home)), class->hot))
		return false;
	for (void *pointer = class->free; pointer != NULL; pointer = next_free(pointer))
	{
		if (!slab_has_free(class->current, pointer) || ++count > class->capacity)
			return false;
	}
	return true;
}

/* Returns the number of problems that were reported. */
static int
check_class(const ChunkClass *class)
{
	int			problems = 0;
	dlist_iter	iter;

	if (class->current != NULL && !slab_is_sound(class->current))
		problems++;
	if (!at_hand_is_sound(class))
		problems++;
	dlist_foreach(iter, (dlist_head *) &class->partial)
	{
		const ChunkSlab *slab = dlist_container(ChunkSlab, node, iter.cur);

		if (slab->free == NULL || slab->live == 0 || !slab_is_sound(slab))
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
