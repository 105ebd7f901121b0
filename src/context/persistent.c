/*-------------------------------------------------------------------------
 *
 * persistent.c
 *	  A MemoryContext whose chunks are jemalloc objects of their own.
 *
 * An AllocSet keeps every block until it is reset, so data that comes and
 * goes for as long as a session lives leaves its holes behind.  Here a freed
 * chunk goes back to the process's persistent arena at once: the next chunk
 * of that size can be anybody's, and what nobody uses is purged.
 *
 * Since chunks do not lie in blocks, the context has to find them to be able
 * to free them all: they are linked in a list.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "context/context.h"
#include "compat/compat.h"

typedef struct PersistentContext
{
	MemoryContextData header;	/* must be first: standard fields of a context */
	dlist_head	chunks;
	Size		nchunks;
} PersistentContext;

typedef struct PersistentChunk
{
	dlist_node	node;
	MemoryContext context;		/* must be last: pfree looks right before the data */
} PersistentChunk;

#define CHUNK_HEADER sizeof(PersistentChunk)

static inline PersistentChunk *
pointer_chunk(void *pointer)
{
	return (PersistentChunk *) ((char *) pointer - CHUNK_HEADER);
}

static inline void *
chunk_pointer(PersistentChunk *chunk)
{
	return (char *) chunk + CHUNK_HEADER;
}

static const MemoryContextMethods persistent_methods;

MemoryContext
persistent_create(MemoryContext parent, const char *name)
{
	PersistentContext *set = arena_process_alloc(sizeof(PersistentContext));

	if (set == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed while creating memory context \"%s\".", name)));
	dlist_init(&set->chunks);
	set->nchunks = 0;
	compat_context_create((MemoryContext) set, &persistent_methods, parent, name);
	return (MemoryContext) set;
}

/* Take chunk, whose size is known to the arena only, into the context. */
static inline void
link_chunk(PersistentContext *set, PersistentChunk *chunk)
{
	chunk->context = (MemoryContext) set;
	dlist_push_head(&set->chunks, &chunk->node);
	set->nchunks++;
	set->header.mem_allocated += arena_usable_size(chunk);
}

static inline void
unlink_chunk(PersistentContext *set, PersistentChunk *chunk)
{
	dlist_delete(&chunk->node);
	set->nchunks--;
	set->header.mem_allocated -= arena_usable_size(chunk);
}

/* Returns NULL when there is no memory; core raises the error. */
static void *
PersistentAlloc(MemoryContext context, Size size)
{
	PersistentChunk *chunk = arena_alloc(&persistent_arena, size + CHUNK_HEADER);

	if (unlikely(chunk == NULL))
		return NULL;
	link_chunk((PersistentContext *) context, chunk);
	return chunk_pointer(chunk);
}

static void
PersistentFree(MemoryContext context, void *pointer)
{
	PersistentChunk *chunk = pointer_chunk(pointer);

	unlink_chunk((PersistentContext *) context, chunk);
	arena_free(&persistent_arena, chunk);
}

/* When there is no memory the chunk stays as it is. */
static void *
PersistentRealloc(MemoryContext context, void *pointer, Size size)
{
	PersistentContext *set = (PersistentContext *) context;
	PersistentChunk *chunk = pointer_chunk(pointer);
	PersistentChunk *moved;

	unlink_chunk(set, chunk);
	moved = arena_realloc(&persistent_arena, chunk, size + CHUNK_HEADER);
	link_chunk(set, moved ? moved : chunk);
	return moved ? chunk_pointer(moved) : NULL;
}

static void
PersistentReset(MemoryContext context)
{
	PersistentContext *set = (PersistentContext *) context;
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &set->chunks)
		arena_free(&persistent_arena, dlist_container(PersistentChunk, node, iter.cur));
	dlist_init(&set->chunks);
	set->nchunks = 0;
	context->mem_allocated = 0;
}

static void
PersistentDelete(MemoryContext context)
{
	PersistentReset(context);
	arena_process_free(context);
}

static Size
PersistentGetChunkSpace(MemoryContext context, void *pointer)
{
	return arena_usable_size(pointer_chunk(pointer));
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
	Size		totalspace = context->mem_allocated + sizeof(PersistentContext);

	if (printfunc)
	{
		char		stats_string[200];

		snprintf(stats_string, sizeof(stats_string),
				 "%zu total in %zu chunks; 0 free (0 chunks); %zu used",
				 totalspace, set->nchunks, totalspace);
		printfunc(context, passthru, stats_string, print_to_stderr);
	}
	if (totals)
	{
		totals->nblocks += set->nchunks;
		totals->totalspace += totalspace;
	}
}

#ifdef MEMORY_CONTEXT_CHECKING
static void
PersistentCheck(MemoryContext context)
{
	PersistentContext *set = (PersistentContext *) context;
	Size		nchunks = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &set->chunks)
	{
		if (dlist_container(PersistentChunk, node, iter.cur)->context != context)
			elog(WARNING, "problem in jemctx context %s: bogus context link of chunk %p",
				 context->name, iter.cur);
		nchunks++;
	}
	if (nchunks != set->nchunks)
		elog(WARNING, "problem in jemctx context %s: %zu chunks found, %zu counted",
			 context->name, nchunks, set->nchunks);
}
#endif

static const MemoryContextMethods persistent_methods = {
	.alloc = PersistentAlloc,
	.free_p = PersistentFree,
	.realloc = PersistentRealloc,
	.reset = PersistentReset,
	.delete_context = PersistentDelete,
	.get_chunk_space = PersistentGetChunkSpace,
	.is_empty = PersistentIsEmpty,
	.stats = PersistentStats,
#ifdef MEMORY_CONTEXT_CHECKING
	.check = PersistentCheck,
#endif
};

bool
persistent_describe(MemoryContext context, ContextInfo *info)
{
	if (context->methods != &persistent_methods)
		return false;
	info->lifetime = JEMCTX_PERSISTENT;
	info->arena = &persistent_arena;
	info->chunks = ((PersistentContext *) context)->nchunks;
	info->allocated = context->mem_allocated;
	return true;
}
