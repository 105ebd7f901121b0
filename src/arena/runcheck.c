/*-------------------------------------------------------------------------
 *
 * runcheck.c
 *	  Are the runs as they must be?  In checking builds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/run.h"

#ifdef JEMCTX_CHECKING

/* The number of free chunks that are linked, or -1 if a link leads astray. */
static int
linked_chunks(const Run *run)
{
	const RunClass *class = &run_classes[run->class];
	int			linked = 0;

	for (uint16 place = run->free; place != NO_PLACE; linked++)
	{
		Size		offset = (Size) place * RUN_GRAIN;

		if (offset % class->size != 0 || offset / class->size >= run->fresh || linked >= run->fresh)
			return -1;
		place = run_read_link(run->chunks + offset);
	}
	return linked;
}

static bool
is_sound(const Run *run)
{
	return run->fresh <= run_classes[run->class].capacity &&
		run->live <= run->fresh && linked_chunks(run) == run->fresh - run->live;
}

/* Where a run changes its list. */
void
runcheck_run(const Run *run)
{
	if (!is_sound(run))
		elog(WARNING, "problem in run %u of persistent chunks: links of free chunks are broken", run->number);
}

/* Is that where a chunk of the class may stand in the run? */
static bool
is_place(const Run *run, const RunClass *class, const void *chunk)
{
	Size		offset = (const char *) chunk - run->chunks;

	return &run_classes[run->class] == class && offset % class->size == 0 && offset / class->size < run->fresh;
}

/* Returns the number of problems that were reported. */
static int
check_class(const RunClass *class)
{
	int			problems = 0;
	dlist_iter	iter;

	if (class->current != NULL && !is_sound(class->current))
		problems++;
	for (uint32 i = 0; i < class->nhot; i++)
	{
		if (!is_place(run_by_number(class->hot_runs[i]), class, class->hot[i]))
			problems++;
	}
	dlist_foreach(iter, (dlist_head *) &class->partial)
	{
		const Run  *run = dlist_container(Run, node, iter.cur);

		if (!run->listed || run->live == 0 || !is_sound(run))
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
