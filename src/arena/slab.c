/*-------------------------------------------------------------------------
 *
 * slab.c
 *	  Chunks of one size, side by side in pages of their own.
 *
 * Which slab the next chunk comes from decides how much memory is wasted when
 * the sizes that are in demand change.  A slab that was full and lost a chunk
 * goes to the front of its class's list, and is used before those that have
 * had room for longer.  So full slabs stay full, while the others only lose
 * chunks, until they are empty and go.  jemalloc's caches, or a stack of free
 * chunks, would fill all slabs alike and empty none; docs/measurements.md has both.
 *
 * Slabs are small for the same reason: the fewer chunks there are in one, the
 * sooner it is empty.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/slab.h"
#include "arena/unused.h"

/*
 * Two kinds of slabs, each exactly an extent of jemalloc's: its small size
 * classes of 4 and 12 kB have slabs of one object.
 */
static const Size slab_sizes[] = {4096, 12288};

#define KINDS lengthof(slab_sizes)

/* The fewest chunks in a slab of either kind. */
static const uint16 fewest_chunks[KINDS] = {4, 3};

#define SMALLEST_CHUNK ((Size) 2 * SLAB_GRAIN)

/* Classes are an eighth of their size apart, if grains allow. */
#define CLASS_SPACING 8

/* Empty slabs of either kind that are kept, so that ups and downs cost little. */
static const int kept_max[KINDS] = {128, 8};
static dlist_head kept[KINDS];
static int	nkept[KINDS];

ChunkClass	slab_classes[SLAB_MAX_CLASSES];
uint32		slab_nclasses;
uint8		slab_class_by_grains[SLAB_LARGEST / SLAB_GRAIN + 1];

ChunkSlab **slab_blocks;
static uint32 nblocks;
static uint32 max_blocks;

/* Descriptions without pages, linked by their nodes. */
static dlist_head unused;

/* The largest chunk that fits so many times into a slab of the kind. */
static Size
fitting_size(int kind, Size count)
{
	return TYPEALIGN_DOWN(SLAB_GRAIN, slab_sizes[kind] / count);
}

static void
add_class(int kind, Size size, Size *grains)
{
	ChunkClass *class = &slab_classes[slab_nclasses];

	class->size = size;
	class->kind = kind;
	class->capacity = slab_sizes[kind] / size;
	dlist_init(&class->partial);
	for (; *grains <= size / SLAB_GRAIN; (*grains)++)
		slab_class_by_grains[*grains] = slab_nclasses;
	slab_nclasses++;
}

Size
slab_class_bytes(const ChunkClass *class)
{
	return slab_sizes[class->kind];
}

/* Make room for one more block.  Returns false when there is no memory. */
static bool
enlarge_blocks(void)
{
	uint32		size = Max(max_blocks * 2, 16);
	ChunkSlab **blocks;

	if (nblocks < max_blocks)
		return true;
	blocks = arena_process_alloc(size * sizeof(ChunkSlab *));
	if (blocks == NULL)
		return false;
	if (slab_blocks != NULL)
	{
		memcpy(blocks, slab_blocks, nblocks * sizeof(ChunkSlab *));
		arena_process_free(slab_blocks);
	}
	slab_blocks = blocks;
	max_blocks = size;
	return true;
}

/* Make descriptions for a block of slabs.  Returns false when there is no memory. */
static bool
add_block(void)
{
	ChunkSlab  *block;

	if (nblocks == (1 << SLAB_BITS) / SLAB_BLOCK)
		return false;
	if (!enlarge_blocks() ||
		(block = arena_process_alloc(SLAB_BLOCK * sizeof(ChunkSlab))) == NULL)
		return false;
	for (uint32 i = 0; i < SLAB_BLOCK; i++)
	{
		block[i].number = nblocks * SLAB_BLOCK + i;
		dlist_push_tail(&unused, &block[i].node);
	}
	slab_blocks[nblocks++] = block;
	return true;
}

static ChunkSlab *
pop_slab(dlist_head *list)
{
	return dlist_container(ChunkSlab, node, dlist_pop_head_node(list));
}

/* A slab with pages of the kind, kept or new, or NULL when there is no memory. */
static ChunkSlab *
get_slab(int kind)
{
	ChunkSlab  *slab;

	if (nkept[kind] > 0)
	{
		nkept[kind]--;
		return pop_slab(&kept[kind]);
	}
	if (dlist_is_empty(&unused) && !add_block())
		return NULL;
	slab = pop_slab(&unused);
	slab->chunks = arena_alloc(&persistent_arena, slab_sizes[kind]);
	if (slab->chunks != NULL)
		return slab;
	dlist_push_head(&unused, &slab->node);
	return NULL;
}

static ChunkSlab *
new_slab(uint32 class)
{
	ChunkClass *set = &slab_classes[class];
	ChunkSlab  *slab = get_slab(set->kind);

	if (slab == NULL)
		return NULL;
	slab->class = class;
	slab->live = 0;
	slab->fresh = 0;
	slab->free = NO_PLACE;
	slab->listed = false;
	set->slabs++;
	MEMSTATE_NOACCESS(slab->chunks, slab_sizes[set->kind]);
	return slab;
}

#ifdef JEMCTX_CHECKING

/* The number of free chunks that are linked, or -1 if a link leads astray. */
static int
linked_chunks(const ChunkSlab *slab)
{
	const ChunkClass *class = &slab_classes[slab->class];
	int			linked = 0;

	for (uint16 place = slab->free; place != NO_PLACE; linked++)
	{
		Size		offset = (Size) place * SLAB_GRAIN;

		if (offset % class->size != 0 || offset / class->size >= slab->fresh ||
			linked >= slab->fresh)
			return -1;
		place = slab_read_link(slab->chunks + offset);
	}
	return linked;
}

bool
slab_is_sound(const ChunkSlab *slab)
{
	return slab->fresh <= slab_classes[slab->class].capacity &&
		slab->live <= slab->fresh && linked_chunks(slab) == slab->fresh - slab->live;
}

/* Where a slab changes its list. */
static void
check_slab(const ChunkSlab *slab)
{
	if (!slab_is_sound(slab))
		elog(WARNING, "problem in slab %u of persistent chunks: links of free chunks are broken",
			 slab->number);
}

#else

static inline void
check_slab(const ChunkSlab *slab)
{
}

#endif

/*
 * The current slab is used up: make another one current and return it, or NULL
 * when there is no memory.  The one used up is found again when it loses a
 * chunk.
 */
ChunkSlab *pg_noinline
slab_next(uint32 class)
{
	ChunkClass *set = &slab_classes[class];
	ChunkSlab  *slab;

	if (set->current != NULL)
		check_slab(set->current);
	if (dlist_is_empty(&set->partial))
		slab = new_slab(class);
	else
	{
		slab = pop_slab(&set->partial);
		slab->listed = false;
	}
	if (slab != NULL)
		set->current = slab;
	return slab;
}

/* A full slab has lost a chunk. */
static void pg_noinline
became_partial(ChunkSlab *slab)
{
	check_slab(slab);
	dlist_push_head(&slab_classes[slab->class].partial, &slab->node);
	slab->listed = true;
}

/* Return the pages of a slab to the arena. */
static void
free_pages(ChunkSlab *slab)
{
	arena_free(&persistent_arena, slab->chunks);
	dlist_push_head(&unused, &slab->node);
}

/* Give up a slab that has no chunks. */
static void
drop_slab(ChunkSlab *slab)
{
	ChunkClass *set = &slab_classes[slab->class];

	set->slabs--;
	if (nkept[set->kind] < kept_max[set->kind])
	{
		dlist_push_head(&kept[set->kind], &slab->node);
		nkept[set->kind]++;
	}
	else
		free_pages(slab);
}

/* A slab that is not current has lost its last chunk. */
static void pg_noinline
became_empty(ChunkSlab *slab)
{
	check_slab(slab);
	if (slab->listed)
		dlist_delete(&slab->node);
	drop_slab(slab);
}

/* Out of line, so that freeing a chunk that is kept at hand needs no stack frame. */
void
slab_put_back(ChunkSlab *slab, void *chunk)
{
	ChunkClass *set = &slab_classes[slab->class];

	slab_write_link(chunk, slab->free);
	slab->free = ((char *) chunk - slab->chunks) / SLAB_GRAIN;
	slab->live--;
	set->live--;
	if (slab == set->current)
		return;
	if (unlikely(slab->live == 0))
		became_empty(slab);
	else if (unlikely(!slab->listed))
		became_partial(slab);
}

/* Put hot chunks back into their slabs, and give up the current one if it has none. */
static void
flush_class(ChunkClass *set)
{
	ChunkSlab  *slab;

	for (; set->nhot > 0; set->nhot--)
		slab_put_back(slab_by_number(set->hot_slabs[set->nhot - 1]), set->hot[set->nhot - 1]);
	slab = set->current;
	if (slab != NULL && slab->live == 0)
	{
		set->current = NULL;
		drop_slab(slab);
	}
}

/* Return all slabs without chunks to the arena. */
static void
flush(void)
{
	for (uint32 class = 0; class < slab_nclasses; class++)
		flush_class(&slab_classes[class]);
	for (int kind = 0; kind < KINDS; kind++)
	{
		for (; nkept[kind] > 0; nkept[kind]--)
			free_pages(pop_slab(&kept[kind]));
	}
}

/*
 * In the postmaster: choose the size classes.  Each is as large as it can be
 * for the number of chunks that fit into a slab.
 */
void
slab_enter(void)
{
	Size		grains = 0;
	Size		size = SMALLEST_CHUNK;

	dlist_init(&unused);
	for (int kind = 0; kind < KINDS; kind++)
	{
		Size		largest = fitting_size(kind, fewest_chunks[kind]);

		dlist_init(&kept[kind]);
		while (size <= largest)
		{
			size = fitting_size(kind, slab_sizes[kind] / size);
			add_class(kind, size, &grains);
			size += Max(SLAB_GRAIN, TYPEALIGN_DOWN(SLAB_GRAIN, size / CLASS_SPACING));
		}
	}
	unused_add_cache(flush);
	Assert(slab_classes[slab_nclasses - 1].size == SLAB_LARGEST);
}
