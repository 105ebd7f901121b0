/*-------------------------------------------------------------------------
 *
 * runcheck.c
 *	  Are the runs as they must be?  In checking builds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/run.h"
#include "arena/runcheck.h"

#ifdef JEMCTX_CHECKING

/* Is that where a chunk of the class may stand in the run? */
static bool
is_place(const Run *run, const RunClass *class, const void *chunk)
{
	Size		offset = (const char *) chunk - run->chunks;

	return &run_classes[run->class] == class && offset % class->size == 0 &&
		offset / class->size < run->fresh;
}

/* Returns the number of problems that were reported. */
static int
check_class(const RunClass *class)
{
	int			problems = 0;
	dlist_iter	iter;

	if (class->current != NULL && !run_is_sound(class->current))
		problems++;
	for (uint32 i = 0; i < class->nhot; i++)
	{
		if (!is_place(run_by_number(class->hot_runs[i]), class, class->hot[i]))
			problems++;
	}
	dlist_foreach(iter, (dlist_head *) &class->partial)
	{
		const Run  *run = dlist_container(Run, node, iter.cur);

		if (!run->listed || run->live == 0 || !run_is_sound(run))
			problems++;
	}
	if (problems > 0)
		elog(WARNING, "problem in runs of persistent chunks of %u bytes: %d of them are broken",
			 class->size, problems);
	return problems;
}

int
runcheck_all(void)
{
	int			problems = 0;

	for (uint32 class = 0; class < run_nclasses; class++)
		problems += check_class(&run_classes[class]);
	return problems;
}

#endif
