/*-------------------------------------------------------------------------
 *
 * run.c
 *	  Chunks of one size, side by side in a run of pages.
 *
 * Which run the next chunk comes from decides how much memory is wasted when
 * the sizes that are in demand change.  A run that was full and lost a chunk
 * goes to the front of its class's list, and is used before those that have
 * had room for longer.  So full runs stay full, while the others only lose
 * chunks, until they are empty and go.  jemalloc's caches, or a stack of free
 * chunks, would fill all runs alike and empty none; docs/measurements.md has both.
 *
 * Runs are small for the same reason: the fewer chunks there are in one, the
 * sooner it is empty.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/run.h"
#include "arena/unused.h"

/*
 * Two kinds of runs, each exactly an extent of jemalloc's: its small size
 * classes of 4 and 12 kB have slabs of one object.
 */
static const Size run_sizes[] = {4096, 12288};

#define RUN_KINDS lengthof(run_sizes)

/* The fewest chunks in a run of either kind. */
static const uint16 fewest_chunks[RUN_KINDS] = {4, 3};

#define SMALLEST_CHUNK ((Size) 2 * RUN_GRAIN)

/* Classes are an eighth of their size apart, if grains allow. */
#define CLASS_SPACING 8

/* Empty runs of either kind that are kept, so that ups and downs cost little. */
static const int kept_max[RUN_KINDS] = {128, 8};
static dlist_head kept[RUN_KINDS];
static int	nkept[RUN_KINDS];

RunClass	run_classes[RUN_MAX_CLASSES];
uint32		run_nclasses;
uint8		run_class_by_grains[RUN_LARGEST / RUN_GRAIN + 1];

Run		  **run_blocks;
static uint32 nblocks;
static uint32 max_blocks;

/* Descriptions without pages, linked by their nodes. */
static dlist_head unused;

/* The largest chunk that fits so many times into a run of the kind. */
static Size
fitting_size(int kind, Size count)
{
	return TYPEALIGN_DOWN(RUN_GRAIN, run_sizes[kind] / count);
}

static void
add_class(int kind, Size size, Size *grains)
{
	RunClass   *class = &run_classes[run_nclasses];

	class->size = size;
	class->kind = kind;
	class->capacity = run_sizes[kind] / size;
	dlist_init(&class->partial);
	for (; *grains <= size / RUN_GRAIN; (*grains)++)
		run_class_by_grains[*grains] = run_nclasses;
	run_nclasses++;
}

Size
run_bytes(const RunClass *class)
{
	return run_sizes[class->kind];
}

/* Make room for one more block.  Returns false when there is no memory. */
static bool
enlarge_blocks(void)
{
	uint32		size = Max(max_blocks * 2, 16);
	Run		  **blocks;

	if (nblocks < max_blocks)
		return true;
	blocks = arena_process_alloc(size * sizeof(Run *));
	if (blocks == NULL)
		return false;
	if (run_blocks != NULL)
	{
		memcpy(blocks, run_blocks, nblocks * sizeof(Run *));
		arena_process_free(run_blocks);
	}
	run_blocks = blocks;
	max_blocks = size;
	return true;
}

/* Make descriptions for a block of runs.  Returns false when there is no memory. */
static bool
add_block(void)
{
	Run		   *block;

	if (nblocks == (1 << RUN_BITS) / RUN_BLOCK)
		return false;
	if (!enlarge_blocks() ||
		(block = arena_process_alloc(RUN_BLOCK * sizeof(Run))) == NULL)
		return false;
	for (uint32 i = 0; i < RUN_BLOCK; i++)
	{
		block[i].number = nblocks * RUN_BLOCK + i;
		dlist_push_tail(&unused, &block[i].node);
	}
	run_blocks[nblocks++] = block;
	return true;
}

static Run *
pop_run(dlist_head *list)
{
	return dlist_container(Run, node, dlist_pop_head_node(list));
}

/* A run with pages of the kind, kept or new, or NULL when there is no memory. */
static Run *
get_run(int kind)
{
	Run		   *run;

	if (nkept[kind] > 0)
	{
		nkept[kind]--;
		return pop_run(&kept[kind]);
	}
	if (dlist_is_empty(&unused) && !add_block())
		return NULL;
	run = pop_run(&unused);
	run->chunks = arena_alloc(&persistent_arena, run_sizes[kind]);
	if (run->chunks != NULL)
		return run;
	dlist_push_head(&unused, &run->node);
	return NULL;
}

static Run *
new_run(uint32 class)
{
	RunClass   *set = &run_classes[class];
	Run		   *run = get_run(set->kind);

	if (run == NULL)
		return NULL;
	run->class = class;
	run->live = 0;
	run->fresh = 0;
	run->free = NO_PLACE;
	run->listed = false;
	set->runs++;
	MEMSTATE_NOACCESS(run->chunks, run_sizes[set->kind]);
	return run;
}

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

bool
run_is_sound(const Run *run)
{
	return run->fresh <= run_classes[run->class].capacity &&
		run->live <= run->fresh && linked_chunks(run) == run->fresh - run->live;
}

/* Where a run changes its list. */
static void
check_run(const Run *run)
{
	if (!run_is_sound(run))
		elog(WARNING, "problem in run %u of persistent chunks: links of free chunks are broken",
			 run->number);
}

#else

static inline void
check_run(const Run *run)
{
}

#endif

/*
 * The current run is used up: make another one current and return it, or NULL
 * when there is no memory.  The one used up is found again when it loses a
 * chunk.
 */
Run *pg_noinline
run_next(uint32 class)
{
	RunClass   *set = &run_classes[class];
	Run		   *run;

	if (set->current != NULL)
		check_run(set->current);
	if (dlist_is_empty(&set->partial))
		run = new_run(class);
	else
	{
		run = pop_run(&set->partial);
		run->listed = false;
	}
	if (run != NULL)
		set->current = run;
	return run;
}

/* A full run has lost a chunk. */
void pg_noinline
run_became_partial(Run *run)
{
	check_run(run);
	dlist_push_head(&run_classes[run->class].partial, &run->node);
	run->listed = true;
}

/* Return the pages of a run to the arena. */
static void
free_pages(Run *run)
{
	arena_free(&persistent_arena, run->chunks);
	dlist_push_head(&unused, &run->node);
}

/* Give up a run that has no chunks. */
static void
drop_run(Run *run)
{
	RunClass   *set = &run_classes[run->class];

	set->runs--;
	if (nkept[set->kind] < kept_max[set->kind])
	{
		dlist_push_head(&kept[set->kind], &run->node);
		nkept[set->kind]++;
	}
	else
		free_pages(run);
}

/* A run that is not current has lost its last chunk. */
void pg_noinline
run_became_empty(Run *run)
{
	check_run(run);
	if (run->listed)
		dlist_delete(&run->node);
	drop_run(run);
}

/* Put hot chunks back into their runs, and give up the current one if it has none. */
static void
flush_class(RunClass *set)
{
	Run		   *run;

	for (; set->nhot > 0; set->nhot--)
		run_put_back(run_by_number(set->hot_runs[set->nhot - 1]), set->hot[set->nhot - 1]);
	run = set->current;
	if (run != NULL && run->live == 0)
	{
		set->current = NULL;
		drop_run(run);
	}
}

/* Return all runs without chunks to the arena. */
static void
flush(void)
{
	for (uint32 class = 0; class < run_nclasses; class++)
		flush_class(&run_classes[class]);
	for (int kind = 0; kind < RUN_KINDS; kind++)
	{
		for (; nkept[kind] > 0; nkept[kind]--)
			free_pages(pop_run(&kept[kind]));
	}
}

/*
 * In the postmaster: choose the size classes.  Each is as large as it can be
 * for the number of chunks that fit into a run.
 */
void
run_enter(void)
{
	Size		grains = 0;
	Size		size = SMALLEST_CHUNK;

	dlist_init(&unused);
	for (int kind = 0; kind < RUN_KINDS; kind++)
	{
		Size		largest = fitting_size(kind, fewest_chunks[kind]);

		dlist_init(&kept[kind]);
		while (size <= largest)
		{
			size = fitting_size(kind, run_sizes[kind] / size);
			add_class(kind, size, &grains);
			size += Max(RUN_GRAIN, TYPEALIGN_DOWN(RUN_GRAIN, size / CLASS_SPACING));
		}
	}
	unused_add_cache(flush);
	Assert(run_classes[run_nclasses - 1].size == RUN_LARGEST);
}
