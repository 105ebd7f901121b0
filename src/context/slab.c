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

#include "arena/arena.h"
#include "arena/unused.h"
#include "context/slab.h"

#define SLAB_PAGE ((Size) 4096)

/*
 * Two kinds of slabs, each exactly an extent of jemalloc's: its small size
 * classes of 4 and 12 kB have slabs of one object.
 */
static const Size slab_sizes[] = {SLAB_PAGE, 3 * SLAB_PAGE};

#define KINDS lengthof(slab_sizes)

/* The fewest chunks in a slab of either kind. */
static const uint16 fewest_chunks[KINDS] = {4, 3};

#define SMALLEST_CHUNK ((Size) 2 * SLAB_GRAIN)

/* Classes are an eighth of their size apart, if grains allow. */
#define CLASS_SPACING 8

/* Empty slabs of either kind that are kept, so that ups and downs cost little. */
static const int kept_max[KINDS] = {1024, 64};
static dlist_head kept[KINDS];
static int	nkept[KINDS];

ChunkClass	slab_classes[SLAB_MAX_CLASSES];
uint32		slab_nclasses;
ChunkClass *slab_class_by_grains[SLAB_LARGEST / SLAB_GRAIN + 1];

ChunkSlab  *slab_blocks[SLAB_MAX_BLOCKS];
static uint32 nblocks;

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
	class->sparse = (class->capacity * 3 + 3) / 4;
	dlist_init(&class->partial);
	for (; *grains <= size / SLAB_GRAIN; (*grains)++)
		slab_class_by_grains[*grains] = class;
	slab_nclasses++;
}

/* Bytes of a slab. */
Size
slab_class_bytes(const ChunkClass *class)
{
	return slab_sizes[class->kind];
}

/* How many chunks of the class contexts have. */
uint32
slab_class_chunks(const ChunkClass *class)
{
	uint32		chunks = 0;

	for (uint32 number = 0; number < nblocks * SLAB_BLOCK; number++)
	{
		const ChunkSlab *slab = slab_by_number(number);

		if (HOME_CLASS(slab->home) == class - slab_classes)
			chunks += slab->live;
	}
	for (void *pointer = class->free; pointer != NULL; pointer = next_free(pointer))
		chunks--;
	if (class->hot != NULL)
		chunks--;
	if (class->current != NULL)
		chunks -= class->capacity - class->current->cut;
	return chunks;
}

/* Make descriptions for a block of slabs.  Returns false when there is no memory. */
static bool
add_block(void)
{
	ChunkSlab  *block;

	if (nblocks == SLAB_MAX_BLOCKS ||
		(block = arena_process_alloc(SLAB_BLOCK * sizeof(ChunkSlab))) == NULL)
		return false;
	for (uint32 i = 0; i < SLAB_BLOCK; i++)
	{
		block[i].home = HOME(0, nblocks * SLAB_BLOCK + i);
		block[i].live = 0;
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

static inline ChunkClass *
class_of(const ChunkSlab *slab)
{
	return &slab_classes[HOME_CLASS(slab->home)];
}

/* A slab for the class, of which nothing is cut yet; NULL when there is no memory. */
static ChunkSlab *pg_noinline
new_slab(ChunkClass *class)
{
	ChunkSlab  *slab = get_slab(class->kind);

	if (slab == NULL)
		return NULL;
	slab->home = HOME(class - slab_classes, HOME_SLAB(slab->home));
	slab->free = NULL;
	slab->live = class->capacity;
	slab->cut = 0;
	class->slabs++;
	MEMSTATE_NOACCESS(slab->chunks, slab_sizes[class->kind]);
	return slab;
}

#ifdef JEMCTX_CHECKING

/* Is that a free chunk of the slab? */
bool
slab_has_free(const ChunkSlab *slab, const void *pointer)
{
	const ChunkClass *class = class_of(slab);
	const PersistentChunk *chunk = pointer_chunk(pointer);
	Size		offset = (const char *) chunk - slab->chunks;

	return offset % class->size == 0 && offset / class->size < slab->cut &&
		chunk->home == slab->home && chunk->slot == FREE_SLOT;
}

bool
slab_is_sound(const ChunkSlab *slab)
{
	const ChunkClass *class = class_of(slab);
	int			free = 0;

	for (void *pointer = slab->free; pointer != NULL; pointer = next_free(pointer))
	{
		if (!slab_has_free(slab, pointer) || ++free > slab->cut)
			return false;
	}
	return slab->cut <= class->capacity && free == class->capacity - slab->live;
}

/* Where a slab changes its list. */
static void
check_slab(const ChunkSlab *slab)
{
	if (!slab_is_sound(slab))
		elog(WARNING, "problem in slab %u of persistent chunks: links of free chunks are broken",
			 HOME_SLAB(slab->home));
}

#else

static inline void
check_slab(const ChunkSlab *slab)
{
}

#endif

/*
 * Cut the next chunks off a slab, as many as are in its next page: if it has
 * several, the others may never be touched.
 */
static void pg_noinline
cut_chunks(ChunkSlab *slab)
{
	const ChunkClass *class = class_of(slab);
	Size		size = class->size;
	Size		page_end = TYPEALIGN(SLAB_PAGE, size * slab->cut + 1);
	uint32		cut = Max(Min(page_end / size, class->capacity), slab->cut + 1);
	char	   *first = slab->chunks + size * slab->cut;
	uint32		home = slab->home;
	void	   *free = NULL;

	for (char *place = slab->chunks + size * (cut - 1); place >= first; place -= size)
	{
		PersistentChunk *chunk = (PersistentChunk *) place;

		MEMSTATE_UNDEFINED(chunk, sizeof(PersistentChunk));
		chunk->home = home;
		chunk->slot = FREE_SLOT;
		set_next_free(chunk_pointer(chunk), free);
		free = chunk_pointer(chunk);
	}
	slab->free = free;
	slab->cut = cut;
}

/*
 * All chunks at hand are taken: have those of a slab, which becomes the current
 * one.  The one that was is found again when it loses a chunk.  Returns false
 * when there is no memory.
 */
bool pg_noinline
slab_refill(ChunkClass *class)
{
	ChunkSlab  *slab = class->current;

	if (slab != NULL)
		check_slab(slab);
	if (slab == NULL || (slab->free == NULL && slab->cut == class->capacity))
	{
		slab = dlist_is_empty(&class->partial) ? new_slab(class) : pop_slab(&class->partial);
		if (slab == NULL)
			return false;
		class->current = slab;
	}
	if (slab->free == NULL)
		cut_chunks(slab);
	class->free = slab->free;
	slab->free = NULL;
	slab->live = class->capacity;
	return true;
}

/* Return the pages of a slab to the arena. */
static void
free_pages(ChunkSlab *slab)
{
	arena_free(&persistent_arena, slab->chunks);
	dlist_push_head(&unused, &slab->node);
}

/* Give up a slab whose chunks are all free. */
static void
drop_slab(ChunkSlab *slab)
{
	ChunkClass *class = class_of(slab);

	class->slabs--;
	slab->live = 0;
	if (nkept[class->kind] < kept_max[class->kind])
	{
		dlist_push_head(&kept[class->kind], &slab->node);
		nkept[class->kind]++;
	}
	else
		free_pages(slab);
}

/* A slab has lost a chunk, and was full or is empty. */
void pg_noinline
slab_has_turned(ChunkSlab *slab)
{
	ChunkClass *class = class_of(slab);

	check_slab(slab);
	if (slab == class->current)
		return;
	if (slab->live > 0)
	{
		dlist_push_head(&class->partial, &slab->node);
		return;
	}
	dlist_delete(&slab->node);
	drop_slab(slab);
}

/* Put the chunks at hand back, and give up the current slab if all of its are free. */
static void
flush_class(ChunkClass *class)
{
	ChunkSlab  *slab = class->current;
	void	   *pointer;

	while ((pointer = slab_take(class)) != NULL)
		slab_put_back(slab_by_number(HOME_SLAB(pointer_chunk(pointer)->home)), pointer);
	if (slab != NULL && slab->live == class->capacity - slab->cut)
	{
		class->current = NULL;
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

/* Bytes of the slabs that are kept. */
Size
slab_kept(void)
{
	Size		bytes = 0;

	for (int kind = 0; kind < KINDS; kind++)
		bytes += nkept[kind] * slab_sizes[kind];
	return bytes;
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
