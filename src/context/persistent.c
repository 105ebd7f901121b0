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
#include "arena/slab.h"
#include "compat/methods.h"
#include "context/checking.h"
#include "context/persistent.h"

/* The directory of a small context needs no memory of its own. */
#define FIRST_SLOTS 8

/*
 * Up to a page it grows fast, since many contexts have some dozens of chunks.
 * From then on slowly: all of it counts as soon as it is there, and the old one
 * is there beside the new.
 */
#define PAGE_SLOTS (4096 / sizeof(Entry))
#define ENLARGED(slots) ((slots) < PAGE_SLOTS ? (slots) * 8 : (slots) + (slots) / 2)
#define MAX_SLOTS (UINT32_MAX / 2)

/* A directory with so many times the slots that its chunks need is too large. */
#define TRIM_FACTOR 4

/* Deleted contexts kept for reuse. */
#define KEPT_MAX 64

typedef struct PersistentChunk
{
	CHECKING_FIELDS
	uint32		home;			/* number of its slab, and size class or LARGE_CHUNK */
	uint32		slot;			/* in the context's directory, or FREE_SLOT */
	ChunkOwner	owner;			/* must be last: PostgreSQL looks right before the data */
} PersistentChunk;

/* The class of a chunk that has no slab. */
#define LARGE_CHUNK 255

/* Both in one word: bit-fields would be written one by one, and read slowly soon after. */
#define HOME(class, slab) ((uint32) (class) << SLAB_BITS | (slab))
#define HOME_CLASS(home) ((home) >> SLAB_BITS)
#define HOME_SLAB(home) ((home) & ((1 << SLAB_BITS) - 1))

StaticAssertDecl(SLAB_MAX_CLASSES <= LARGE_CHUNK, "a size class must not look like a large chunk");

/* The slot of a chunk that is free. */
#define FREE_SLOT UINT32_MAX

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
	uint32		nchunks;
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

static inline PersistentChunk *
pointer_chunk(void *pointer)
{
	return (PersistentChunk *) ((char *) pointer - sizeof(PersistentChunk));
}

static inline void *
chunk_pointer(PersistentChunk *chunk)
{
	return (char *) chunk + sizeof(PersistentChunk);
}

static inline Size
chunk_space(const PersistentChunk *chunk)
{
	uint32		class = HOME_CLASS(chunk->home);

	if (unlikely(class == LARGE_CHUNK))
		return arena_usable_size(chunk);
	return slab_classes[class].size;
}

static void
start_over(PersistentContext *set)
{
	set->directory = set->first_slots;
	set->nslots = 0;
	set->max_slots = FIRST_SLOTS;
	set->first_hole = NO_HOLE;
	set->nchunks = 0;
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
		((PersistentChunk *) directory[next])->slot = next;
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
	uint32		max_slots;
	Entry	   *directory;

	if (context->methods != METHODS)
		return;
	max_slots = Max(set->nchunks + set->nchunks / 2, PAGE_SLOTS);
	if (set->max_slots / TRIM_FACTOR < max_slots)
		return;
	directory = arena_process_alloc(max_slots * sizeof(Entry));
	if (directory == NULL)
		return;
	close_holes(set, directory);
	replace_directory(set, directory, max_slots);
}

/* Take a slot of the directory for chunk, of which there must be one. */
static inline void
link_chunk(PersistentContext *set, PersistentChunk *chunk, uint32 class, uint32 slab, Size space)
{
	uint32		slot = set->first_hole;

	if (slot != NO_HOLE)
		set->first_hole = NEXT_HOLE(set->directory[slot]);
	else
		slot = set->nslots++;
	set->directory[slot] = (Entry) chunk;
	set->nchunks++;
	chunk->slot = slot;
	chunk->home = HOME(class, slab);
	chunk->owner = chunk_owner((MemoryContext) set, ROW);
	set->header.mem_allocated += space;
}

/* Out of line, and the end of its caller, so that this needs no stack frame. */
static void pg_noinline
report_double_free(PersistentContext *set, void *pointer)
{
	elog(ERROR, "chunk %p of memory context \"%s\" was freed already",
		 pointer, set->header.name);
}

/* Leave a hole where chunk stands in the directory. */
static inline void
unlink_chunk(PersistentContext *set, PersistentChunk *chunk, Size space)
{
	uint32		slot = chunk->slot;

	/* Only written, not compared: that would wait for a cache line. */
	chunk->slot = FREE_SLOT;
	set->directory[slot] = HOLE(set->first_hole);
	set->first_hole = slot;
	set->nchunks--;
	set->header.mem_allocated -= space;
}

/* Free a chunk of a context that forgets its whole directory. */
static inline void
release_chunk(PersistentChunk *chunk)
{
	uint32		home = chunk->home;

	if (unlikely(HOME_CLASS(home) == LARGE_CHUNK))
		quarantine_put(&persistent_arena, chunk);
	else
		slab_give(HOME_CLASS(home), HOME_SLAB(home), chunk);
}

static inline bool
directory_is_full(const PersistentContext *set)
{
	return set->first_hole == NO_HOLE && set->nslots == set->max_slots;
}

/* A chunk of the class, of which there is one to be taken. */
static pg_attribute_always_inline void *
alloc_small(PersistentContext *set, uint32 class)
{
	uint32		slab;
	PersistentChunk *chunk = slab_take(class, &slab);

	link_chunk(set, chunk, class, slab, slab_classes[class].size);
	return chunk_pointer(chunk);
}

static void *
alloc_large(PersistentContext *set, Size space)
{
	PersistentChunk *chunk = arena_alloc(&persistent_arena, space);

	if (chunk == NULL)
		return NULL;
	link_chunk(set, chunk, LARGE_CHUNK, 0, arena_usable_size(chunk));
	return chunk_pointer(chunk);
}

/* What takes more than a chunk that is at hand, and may fail. */
static void *pg_noinline
alloc_slowly(PersistentContext *set, Size size, int flags)
{
	Size		space = size + sizeof(PersistentChunk);
	void	   *pointer = NULL;

	methods_check_size((MemoryContext) set, size, flags);
	if (directory_is_full(set) && !enlarge_directory(set))
		return methods_no_memory((MemoryContext) set, size, flags);
	if (space > SLAB_LARGEST)
		pointer = alloc_large(set, space);
	else if (slab_prepare(slab_class(space)))
		pointer = alloc_small(set, slab_class(space));
	return pointer ? pointer : methods_no_memory((MemoryContext) set, size, flags);
}

/* Out of line, as what else a free of a small chunk need not do. */
static void pg_noinline
free_large(PersistentContext *set, PersistentChunk *chunk)
{
	unlink_chunk(set, chunk, arena_usable_size(chunk));
	quarantine_put(&persistent_arena, chunk);
}

/* All that can fail is the end of this function, so that nothing is kept for it meanwhile. */
static pg_attribute_always_inline void *
PersistentAlloc(MemoryContext context, Size size, int flags)
{
	PersistentContext *set = (PersistentContext *) context;
	uint32		class;

	if (unlikely(directory_is_full(set) || size > SLAB_LARGEST - sizeof(PersistentChunk)))
		return alloc_slowly(set, size, flags);
	class = slab_class(size + sizeof(PersistentChunk));
	if (unlikely(!slab_is_prepared(class)))
		return alloc_slowly(set, size, flags);
	return alloc_small(set, class);
}

/* A small chunk goes to its size class, a large one to the arena. */
static pg_attribute_always_inline void
PersistentFree(MemoryContext context, void *pointer)
{
	PersistentContext *set = (PersistentContext *) context;
	PersistentChunk *chunk = pointer_chunk(pointer);

	if (unlikely(chunk->slot == FREE_SLOT))
	{
		report_double_free(set, pointer);
		return;
	}
	if (unlikely(HOME_CLASS(chunk->home) == LARGE_CHUNK))
	{
		free_large(set, chunk);
		return;
	}
	unlink_chunk(set, chunk, slab_classes[HOME_CLASS(chunk->home)].size);
	slab_give(HOME_CLASS(chunk->home), HOME_SLAB(chunk->home), chunk);
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
	set->directory[moved->slot] = (Entry) moved;
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

	if (size > SLAB_LARGEST - sizeof(PersistentChunk))
	{
		if (HOME_CLASS(chunk->home) == LARGE_CHUNK)
			return realloc_large(set, chunk, size, flags);
	}
	else if (HOME_CLASS(chunk->home) == slab_class(size + sizeof(PersistentChunk)))
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

	for (uint32 slot = 0; slot < set->nslots; slot++)
	{
		if (!IS_HOLE(set->directory[slot]))
			release_chunk((PersistentChunk *) set->directory[slot]);
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
	return ((PersistentContext *) context)->nchunks == 0;
}

/* Free space inside the arena belongs to no context, so there is none to report. */
static void
PersistentStats(MemoryContext context, MemoryStatsPrintFunc printfunc, void *passthru,
				MemoryContextCounters *totals, bool print_to_stderr)
{
	PersistentContext *set = (PersistentContext *) context;
	Size		totalspace = context->mem_allocated;

	if (printfunc)
	{
		char		stats_string[200];

		snprintf(stats_string, sizeof(stats_string),
				 "%zu total in %u chunks; 0 free (0 chunks); %zu used",
				 totalspace, set->nchunks, totalspace);
		printfunc(context, passthru, stats_string, print_to_stderr);
	}
	if (totals)
	{
		totals->nblocks += set->nchunks;
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

	return chunk->slot < set->nslots && set->directory[chunk->slot] == (Entry) chunk;
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
		if (chunk->slot == slot && checking_header_is_right(context, chunk_pointer(chunk)))
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
	uint32		nchunks = 0;
	uint32		nholes = 0;

	for (uint32 slot = 0; slot < set->nslots; slot++)
		nchunks += IS_HOLE(set->directory[slot]) ? 0 : 1;
	for (uint32 slot = set->first_hole; slot < set->nslots && nholes < set->nslots; nholes++)
	{
		if (!IS_HOLE(set->directory[slot]))
			break;
		slot = NEXT_HOLE(set->directory[slot]);
	}
	if (nchunks != set->nchunks || nchunks + nholes != set->nslots)
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
	info->chunks = ((PersistentContext *) context)->nchunks;
	info->allocated = context->mem_allocated;
	return true;
}
