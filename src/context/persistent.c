/*-------------------------------------------------------------------------
 *
 * persistent.c
 *	  A MemoryContext for data that comes and goes as long as a session lives.
 *
 * An AllocSet keeps every block until it is reset, so such data leaves its
 * holes behind.  Here a freed chunk goes back to the process's persistent
 * arena at once: the next chunk of that size can be any context's, and pages
 * that nobody uses go back to the system.  Small chunks lie in slabs, larger
 * ones are jemalloc objects of their own.
 *
 * Since chunks do not lie in blocks, the context has to find them to be able
 * to free them all.  It keeps a directory of them, an array with holes; a
 * chunk's header says where it stands there.  A list through the chunks would
 * touch two others, cold ones mostly, whenever one is freed.
 *
 * A free chunk says so in its header, so that freeing it again is found out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/quarantine.h"
#include "context/persistent.h"
#include "context/slab.h"

/* The directory of a small context needs no memory of its own. */
#define FIRST_SLOTS 8

/*
 * Up to a page it grows fast, since many contexts have some dozens of chunks.
 * When it has several, slowly: all of it counts as soon as it is there, and the
 * old one is there beside the new.
 */
#define PAGE_SLOTS (4096 / sizeof(Entry))
#define ENLARGED(slots) \
	((slots) < PAGE_SLOTS ? (slots) * 8 : \
	 (slots) < 8 * PAGE_SLOTS ? (slots) * 2 : (slots) + (slots) / 2)
#define MAX_SLOTS (UINT32_MAX / 2)

/* A directory with so many times the slots that its chunks need is too large. */
#define TRIM_FACTOR 4

/* Deleted contexts kept for reuse. */
#define KEPT_MAX 64

/*
 * In the place of a slot: a chunk that has no slab, whose slot stands where
 * others have their home.
 */
#define LARGE_SLOT (FREE_SLOT - 1)

/* The largest chunk's data that lies in a slab. */
#define SMALL_MAX (SLAB_LARGEST - sizeof(PersistentChunk))

/* A hole in the directory, odd so that it is no chunk: the next hole. */
typedef uintptr_t Entry;

#define NO_HOLE MAX_SLOTS
#define HOLE(next) (((Entry) (next) << 1) | 1)
#define IS_HOLE(entry) (((entry) & 1) != 0)
#define NEXT_HOLE(entry) ((uint32) ((entry) >> 1))

typedef struct PersistentContext
{
	MemoryContextData header;	/* must be first: standard fields of a context */
	Entry	   *directory;
	uint32		nslots;			/* entries in use so far, holes included */
	uint32		max_slots;		/* entries that there is room for */
	uint32		first_hole;
	Entry		first_slots[FIRST_SLOTS];
} PersistentContext;

/* The methods that contexts have: those of the type, or checks around them. */
#ifdef JEMCTX_CHECKING
static const CheckedType checked_type;
#define METHODS (&checked_type.methods)
#define ROW ROW_ANY
#else
#define METHODS (&persistent_methods)
#define ROW ROW_PERSISTENT
#endif

static ContextPool kept = {.limit = KEPT_MAX};

static inline bool
is_large(const PersistentChunk *chunk)
{
	return chunk->slot == LARGE_SLOT;
}

/* Where it stands in the directory. */
static inline uint32 *
chunk_slot(PersistentChunk *chunk)
{
	return is_large(chunk) ? &chunk->home : &chunk->slot;
}

static inline Size
chunk_space(const PersistentChunk *chunk)
{
	if (unlikely(is_large(chunk)))
		return arena_usable_size(chunk);
	return slab_classes[HOME_CLASS(chunk->home)].size;
}

static void
start_over(PersistentContext *set)
{
	set->directory = set->first_slots;
	set->nslots = 0;
	set->max_slots = FIRST_SLOTS;
	set->first_hole = NO_HOLE;
}

/* A context that was deleted and kept, or a new one; ERROR when there is no memory. */
MemoryContext
persistent_create(MemoryContext parent, const char *name)
{
	PersistentContext *set = (PersistentContext *) context_pool_take(&kept);

	if (set == NULL)
	{
		set = arena_process_alloc(sizeof(PersistentContext));
		if (set == NULL)
			context_creation_failed(name);
		start_over(set);
	}
	methods_create_context((MemoryContext) set, METHODS, parent, name);
	set->header.mem_allocated = sizeof(PersistentContext);
	checking_created((MemoryContext) set);
	return (MemoryContext) set;
}

/* The directory's own memory. */
static inline Size
directory_space(const PersistentContext *set)
{
	return set->directory == set->first_slots ? 0 : set->max_slots * sizeof(Entry);
}

static void
free_directory(PersistentContext *set)
{
	if (set->directory != set->first_slots)
		arena_process_free(set->directory);
}

/* Use a directory that has the entries already, and free the old one. */
static void
replace_directory(PersistentContext *set, Entry *directory, uint32 max_slots)
{
	free_directory(set);
	set->header.mem_allocated -= directory_space(set);
	set->directory = directory;
	set->max_slots = max_slots;
	set->header.mem_allocated += directory_space(set);
}

/* Make room in the directory.  Returns false when there is no memory. */
static bool pg_noinline
enlarge_directory(PersistentContext *set)
{
	uint32		max_slots = ENLARGED(set->max_slots);
	Entry	   *directory;

	if (max_slots > MAX_SLOTS)
		return false;
	checking_check((MemoryContext) set);
	directory = arena_process_alloc(max_slots * sizeof(Entry));
	if (directory == NULL)
		return false;
	memcpy(directory, set->directory, set->nslots * sizeof(Entry));
	replace_directory(set, directory, max_slots);
	return true;
}

static uint32
count_chunks(const PersistentContext *set)
{
	uint32		nchunks = 0;

	for (uint32 slot = 0; slot < set->nslots; slot++)
		nchunks += IS_HOLE(set->directory[slot]) ? 0 : 1;
	return nchunks;
}

/* Copy the chunks of the directory to the beginning of another one, without the holes. */
static void
close_holes(PersistentContext *set, Entry *directory)
{
	uint32		next = 0;

	for (uint32 slot = 0; slot < set->nslots; slot++)
	{
		if (IS_HOLE(set->directory[slot]))
			continue;
		directory[next] = set->directory[slot];
		*chunk_slot((PersistentChunk *) directory[next]) = next;
		next++;
	}
	set->nslots = next;
	set->first_hole = NO_HOLE;
}

/*
 * Give back what the directory of a context no longer needs, after most of its
 * chunks have been freed.  A context of another type stays as it is, and so
 * does one for whose new directory there is no memory; raises no errors.
 */
void
persistent_trim(MemoryContext context)
{
	PersistentContext *set = (PersistentContext *) context;
	uint32		nchunks;
	uint32		max_slots;
	Entry	   *directory;

	if (context->methods != METHODS)
		return;
	nchunks = count_chunks(set);
	max_slots = Max(nchunks + nchunks / 2, PAGE_SLOTS);
	if (set->max_slots / TRIM_FACTOR < max_slots)
		return;
	directory = arena_process_alloc(max_slots * sizeof(Entry));
	if (directory == NULL)
		return;
	close_holes(set, directory);
	replace_directory(set, directory, max_slots);
}

static inline bool
directory_is_full(const PersistentContext *set)
{
	return set->first_hole == NO_HOLE && set->nslots == set->max_slots;
}

/* Take a slot of the directory, which is not full. */
static inline uint32
take_slot(PersistentContext *set)
{
	uint32		slot = set->first_hole;

	if (slot == NO_HOLE)
		return set->nslots++;
	set->first_hole = NEXT_HOLE(set->directory[slot]);
	return slot;
}

/* Enter a chunk in its slot of the directory. */
static inline void
link_chunk(PersistentContext *set, PersistentChunk *chunk, uint32 slot, Size space)
{
	set->directory[slot] = (Entry) chunk;
	chunk->owner = chunk_owner((MemoryContext) set, ROW);
	set->header.mem_allocated += space;
}

/* Leave a hole there, and have the chunk say that it is free. */
static inline void
unlink_chunk(PersistentContext *set, PersistentChunk *chunk, uint32 slot, Size space)
{
	/* The entry is only written, not compared: that would wait for a cache line. */
	chunk->slot = FREE_SLOT;
	set->directory[slot] = HOLE(set->first_hole);
	set->first_hole = slot;
	set->header.mem_allocated -= space;
}

/* Free a chunk of a context that forgets its whole directory. */
static inline void
release_chunk(PersistentChunk *chunk)
{
	bool		large = is_large(chunk);

	chunk->slot = FREE_SLOT;
	if (unlikely(large))
		quarantine_put(&persistent_arena, chunk);
	else
		slab_put_back(slab_by_number(HOME_SLAB(chunk->home)), chunk_pointer(chunk));
}

/* Take a chunk of the class into a directory that is not full. */
static inline void *
link_small(PersistentContext *set, ChunkClass *class, void *pointer)
{
	PersistentChunk *chunk = pointer_chunk(pointer);
	uint32		slot = take_slot(set);

	MEMSTATE_UNDEFINED(pointer, class->size - sizeof(PersistentChunk));
	link_chunk(set, chunk, slot, class->size);
	chunk->slot = slot;
	return pointer;
}

/* Where no chunk is at hand, or no slot.  Out of line, as what else is rarely done. */
static void *pg_noinline
alloc_small(PersistentContext *set, ChunkClass *class, Size size, int flags)
{
	void	   *pointer;

	if (directory_is_full(set) && !enlarge_directory(set))
		return methods_no_memory((MemoryContext) set, size, flags);
	pointer = slab_take(class);
	if (pointer == NULL && slab_refill(class))
		pointer = slab_take(class);
	if (pointer == NULL)
		return methods_no_memory((MemoryContext) set, size, flags);
	return link_small(set, class, pointer);
}

static void *pg_noinline
alloc_large(PersistentContext *set, Size size, int flags)
{
	PersistentChunk *chunk = NULL;

	methods_check_size((MemoryContext) set, size, flags);
	if (!directory_is_full(set) || enlarge_directory(set))
		chunk = arena_alloc(&persistent_arena, size + sizeof(PersistentChunk));
	if (chunk == NULL)
		return methods_no_memory((MemoryContext) set, size, flags);
	chunk->slot = LARGE_SLOT;
	chunk->home = take_slot(set);
	link_chunk(set, chunk, chunk->home, arena_usable_size(chunk));
	return chunk_pointer(chunk);
}

/* The class for small data of that size. */
static inline ChunkClass *
class_for(Size size)
{
	return slab_class(size + sizeof(PersistentChunk));
}

/* All that can fail is the end of this function, so that nothing is kept for it meanwhile. */
static pg_attribute_always_inline void *
PersistentAlloc(MemoryContext context, Size size, int flags)
{
	PersistentContext *set = (PersistentContext *) context;
	ChunkClass *class;
	void	   *pointer;

	if (unlikely(size > SMALL_MAX))
		return alloc_large(set, size, flags);
	class = class_for(size);
	pointer = slab_take(class);
	if (unlikely(pointer == NULL))
		return alloc_small(set, class, size, flags);
	if (unlikely(directory_is_full(set)))
	{
		slab_untake(class, pointer);
		return alloc_small(set, class, size, flags);
	}
	return link_small(set, class, pointer);
}

/* A large chunk, or one that is free already; out of line, as what else a free need not do. */
static void pg_noinline
free_otherwise(PersistentContext *set, PersistentChunk *chunk)
{
	if (chunk->slot == FREE_SLOT)
		elog(ERROR, "chunk %p of memory context \"%s\" was freed already",
			 chunk_pointer(chunk), set->header.name);
	unlink_chunk(set, chunk, chunk->home, arena_usable_size(chunk));
	quarantine_put(&persistent_arena, chunk);
}

/* A small chunk goes to its size class, a large one to the arena. */
static pg_attribute_always_inline void
PersistentFree(MemoryContext context, void *pointer)
{
	PersistentContext *set = (PersistentContext *) context;
	PersistentChunk *chunk = pointer_chunk(pointer);
	uint32		home = chunk->home;
	ChunkClass *class;

	if (unlikely(chunk->slot >= LARGE_SLOT))
	{
		free_otherwise(set, chunk);
		return;
	}
	class = &slab_classes[HOME_CLASS(home)];
	unlink_chunk(set, chunk, chunk->slot, class->size);
	slab_give(class, slab_by_number(HOME_SLAB(home)), pointer);
}

/* When there is no memory the chunk stays as it is. */
static void *
realloc_large(PersistentContext *set, PersistentChunk *chunk, Size size, int flags)
{
	Size		old_space = chunk_space(chunk);
	PersistentChunk *moved;

	methods_check_size((MemoryContext) set, size, flags);
	moved = arena_realloc(&persistent_arena, chunk, old_space, size + sizeof(PersistentChunk));
	if (moved == NULL)
		return methods_no_memory((MemoryContext) set, size, flags);
	set->directory[moved->home] = (Entry) moved;
	set->header.mem_allocated += chunk_space(moved) - old_space;
	return chunk_pointer(moved);
}

/*
 * It stays where it is if the size class is the same; of two large sizes the
 * pages are moved; all else is copied.
 */
static void *
PersistentRealloc(MemoryContext context, void *pointer, Size size, int flags)
{
	PersistentContext *set = (PersistentContext *) context;
	PersistentChunk *chunk = pointer_chunk(pointer);
	Size		old_space = chunk_space(chunk);
	void	   *moved;

	if (is_large(chunk))
	{
		if (size > SMALL_MAX)
			return realloc_large(set, chunk, size, flags);
	}
	else if (size <= SMALL_MAX && &slab_classes[HOME_CLASS(chunk->home)] == class_for(size))
		return pointer;
	moved = PersistentAlloc(context, size, flags);
	if (moved == NULL)
		return NULL;
	memcpy(moved, pointer, Min(size, old_space - sizeof(PersistentChunk)));
	PersistentFree(context, pointer);
	return moved;
}

static void
PersistentReset(MemoryContext context)
{
	PersistentContext *set = (PersistentContext *) context;

	Entry	   *end = set->directory + set->nslots;

	for (Entry *entry = set->directory; entry < end; entry++)
	{
		if (!IS_HOLE(*entry))
			release_chunk((PersistentChunk *) *entry);
	}
	free_directory(set);
	start_over(set);
	context->mem_allocated = sizeof(PersistentContext);
}

static void
PersistentDelete(MemoryContext context)
{
	PersistentReset(context);
	if (!context_pool_give(&kept, context))
		arena_process_free(context);
}

static Size
PersistentGetChunkSpace(MemoryContext context, void *pointer)
{
	return chunk_space(pointer_chunk(pointer));
}

static bool
PersistentIsEmpty(MemoryContext context)
{
	return count_chunks((PersistentContext *) context) == 0;
}

/* Free space inside the arena belongs to no context, so there is none to report. */
static void
PersistentStats(MemoryContext context, MemoryStatsPrintFunc printfunc, void *passthru,
				MemoryContextCounters *totals, bool print_to_stderr)
{
	PersistentContext *set = (PersistentContext *) context;
	Size		totalspace = context->mem_allocated;
	uint32		nchunks = count_chunks(set);

	if (printfunc)
	{
		char		stats_string[200];

		snprintf(stats_string, sizeof(stats_string),
				 "%zu total in %u chunks; 0 free (0 chunks); %zu used",
				 totalspace, nchunks, totalspace);
		printfunc(context, passthru, stats_string, print_to_stderr);
	}
	if (totals)
	{
		totals->nblocks += nchunks;
		totals->totalspace += totalspace;
	}
}

#ifndef JEMCTX_CHECKING

METHODS_DEFINE(Persistent)

const MemoryContextMethods persistent_methods = {
	METHODS_OF(Persistent),
};

#else

static bool
PersistentOwns(MemoryContext context, void *pointer)
{
	PersistentContext *set = (PersistentContext *) context;
	PersistentChunk *chunk = pointer_chunk(pointer);
	uint32		slot = *chunk_slot(chunk);

	return slot < set->nslots && set->directory[slot] == (Entry) chunk;
}

static Size
PersistentDataSize(void *pointer)
{
	return chunk_space(pointer_chunk(pointer)) - sizeof(PersistentChunk);
}

/* All chunks whose headers are right; the others are reported. */
static void
PersistentVisit(MemoryContext context, ChunkVisitor visitor)
{
	PersistentContext *set = (PersistentContext *) context;

	for (uint32 slot = 0; slot < set->nslots; slot++)
	{
		PersistentChunk *chunk = (PersistentChunk *) set->directory[slot];

		if (IS_HOLE(set->directory[slot]))
			continue;
		if (*chunk_slot(chunk) == slot && checking_header_is_right(context, chunk_pointer(chunk)))
			visitor(context, chunk_pointer(chunk));
		else
			checking_problem(context, "bogus header of chunk", chunk_pointer(chunk));
	}
}

/* Every entry is a chunk, or a hole that is linked. */
static void
PersistentCheckLists(MemoryContext context)
{
	PersistentContext *set = (PersistentContext *) context;
	uint32		nholes = 0;

	for (uint32 slot = set->first_hole; slot < set->nslots && nholes < set->nslots; nholes++)
	{
		if (!IS_HOLE(set->directory[slot]))
			break;
		slot = NEXT_HOLE(set->directory[slot]);
	}
	if (count_chunks(set) + nholes != set->nslots)
		checking_problem(context, "chunks and holes do not add up in directory", set->directory);
}

static const CheckedType checked_type = {
	.methods = CHECKED_METHODS,
	.inner = CHECKED_FUNCTIONS(Persistent),
	.owns = PersistentOwns,
	.data_size = PersistentDataSize,
	.visit = PersistentVisit,
	.check_lists = PersistentCheckLists,
};

StaticAssertDecl(sizeof(PersistentChunk) == CHECKING_HEADER,
				 "header of a checked chunk has an unexpected size");

#endif

bool
persistent_describe(MemoryContext context, ContextInfo *info)
{
	if (context->methods != METHODS)
		return false;
	info->lifetime = JEMCTX_PERSISTENT;
	info->arena = &persistent_arena;
	info->chunks = count_chunks((PersistentContext *) context);
	info->allocated = context->mem_allocated;
	return true;
}
