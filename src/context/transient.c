/*-------------------------------------------------------------------------
 *
 * transient.c
 *	  A MemoryContext for data that lives and dies together.
 *
 * Chunks are cut one after the other from blocks of the process's transient
 * arena.  A freed chunk waits in the list of its size class for the next
 * chunk of that class; only a reset or delete gives blocks back.  A chunk
 * larger than SMALL_MAX has a block for itself, which goes when it goes.
 *
 * The first block is one allocation with the context itself.  Contexts come
 * and go with every statement, so some that were deleted are kept, with that
 * block, for the next one to be created.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/ilist.h"

#include "arena/quarantine.h"
#include "compat/methods.h"
#include "context/checking.h"
#include "context/freelist.h"
#include "context/transient.h"

/* Sizes of blocks: the one with the context, the next, and the largest. */
#define FIRST_BLOCK 2048
#define SECOND_BLOCK ((Size) 8 * 1024)
#define LARGEST_BLOCK ((Size) 1024 * 1024)

/* Up to this size chunks share blocks. */
#define SMALL_MAX 8192

/*
 * Sizes of small chunks are counted in grains.  There is a class for each
 * number of grains up to four, then four classes to each doubling.
 */
#define GRAIN 16
#define MAX_GRAINS (SMALL_MAX / GRAIN)
#define CLASSES 32

/* In the place of a class: a chunk with a block for itself, and no chunk at all. */
#define LARGE_CHUNK CLASSES
#define NO_CHUNK (CLASSES + 1)

/* Deleted contexts kept for reuse. */
#define KEPT_MAX 64

typedef struct Block
{
	dlist_node	node;
	char	   *end;
} Block;

typedef struct Chunk
{
	CHECKING_FIELDS
	Size		class;			/* also while it is free */
	ChunkOwner	owner;			/* must be last: PostgreSQL looks right before the data */
} Chunk;

typedef struct TransientContext
{
	MemoryContextData header;	/* must be first: standard fields of a context */
	char	   *free_start;		/* what is left of the newest block */
	char	   *free_end;
	Size		next_size;		/* of the block to take after it */
	Size		nblocks;
	bool		has_free;		/* is there anything in the lists of free chunks? */
	dlist_head	blocks;			/* all but the first */
	dlist_head	large;			/* blocks of a single chunk */
	void	   *freelists[CLASSES]; /* data of free chunks, linked by their first word */
} TransientContext;

/* The methods that contexts have: those of the type, or checks around them. */
#ifdef JEMCTX_CHECKING
static const CheckedType checked_type;
#define METHODS (&checked_type.methods)
#define ROW ROW_ANY
#else
#define METHODS (&transient_methods)
#define ROW ROW_TRANSIENT
#endif

/* The class of a number of grains, and the bytes of a class; made once. */
static uint8 grains_class[MAX_GRAINS + 1];
static uint16 class_size[CLASSES];

static ContextPool kept = {.limit = KEPT_MAX};

static inline Chunk *
pointer_chunk(void *pointer)
{
	return (Chunk *) ((char *) pointer - sizeof(Chunk));
}

static inline void *
chunk_pointer(Chunk *chunk)
{
	return (char *) chunk + sizeof(Chunk);
}

/* The block that a large chunk has for itself. */
static inline Block *
large_block(Chunk *chunk)
{
	return (Block *) ((char *) chunk - sizeof(Block));
}

static inline Size
size_class(Size size)
{
	return grains_class[(size + GRAIN - 1) / GRAIN];
}

/* Bytes for data. */
static inline Size
chunk_size(Chunk *chunk)
{
	if (unlikely(chunk->class == LARGE_CHUNK))
		return large_block(chunk)->end - (char *) chunk_pointer(chunk);
	return class_size[chunk->class];
}

/* In the postmaster. */
void
transient_enter(void)
{
	int			grains = 1;

	for (int class = 0; class < CLASSES; class++)
	{
		int			step = class < 4 ? 1 : 1 << (class / 4 - 1);
		int			last = class < 4 ? class + 1 : class_size[class - 1] / GRAIN + step;

		class_size[class] = last * GRAIN;
		while (grains <= last)
			grains_class[grains++] = class;
	}
	grains_class[0] = 0;
}

/* Back to the first block, all of it unused. */
static inline void
start_over(TransientContext *set)
{
	set->free_start = (char *) set + MAXALIGN(sizeof(TransientContext));
	set->free_end = (char *) set + FIRST_BLOCK;
	set->next_size = SECOND_BLOCK;
	set->nblocks = 1;
	set->header.mem_allocated = FIRST_BLOCK;
	MEMSTATE_NOACCESS(set->free_start, set->free_end - set->free_start);
}

/* A kept context, or a new one with its first block; ERROR when there is no memory. */
MemoryContext
transient_create(MemoryContext parent, const char *name)
{
	TransientContext *set = (TransientContext *) context_pool_take(&kept);

	if (set == NULL)
	{
		set = arena_alloc(&transient_arena, FIRST_BLOCK);
		if (set == NULL)
			context_creation_failed(name);
		dlist_init(&set->blocks);
		dlist_init(&set->large);
		memset(set->freelists, 0, sizeof(set->freelists));
		set->has_free = false;
		start_over(set);
	}
	methods_create_context((MemoryContext) set, METHODS, parent, name);
	set->header.mem_allocated = FIRST_BLOCK;
	checking_created((MemoryContext) set);
	return (MemoryContext) set;
}

/* Cut a chunk of the class off the newest block, where it has room. */
static inline void *
cut_chunk(TransientContext *set, Size class)
{
	Chunk	   *chunk = (Chunk *) set->free_start;
	Size		space = sizeof(Chunk) + class_size[class];

	set->free_start += space;
	MEMSTATE_UNDEFINED(chunk, space);
	chunk->class = class;
	chunk->owner = chunk_owner((MemoryContext) set, ROW);
	return chunk_pointer(chunk);
}

/* Those who visit chunks must see where they end in the block that was the newest. */
static inline void
mark_end(TransientContext *set)
{
#ifdef JEMCTX_CHECKING
	Chunk	   *chunk = (Chunk *) set->free_start;

	if (set->free_end - set->free_start < (ptrdiff_t) sizeof(Chunk))
		return;
	MEMSTATE_UNDEFINED(chunk, sizeof(Chunk));
	chunk->class = NO_CHUNK;
#endif
}

/* Out of line, so that allocating from a list or block needs no stack frame. */
static void *pg_noinline
alloc_from_new_block(TransientContext *set, Size asked, int flags)
{
	Size		class = size_class(asked);
	Size		block_size = set->next_size;
	Block	   *block;

	while (block_size < sizeof(Block) + sizeof(Chunk) + class_size[class])
		block_size *= 2;
	checking_check((MemoryContext) set);
	block = arena_alloc(&transient_arena, block_size);
	if (block == NULL)
		return methods_no_memory((MemoryContext) set, asked, flags);
	mark_end(set);
	block->end = (char *) block + block_size;
	dlist_push_head(&set->blocks, &block->node);
	set->free_start = (char *) block + sizeof(Block);
	set->free_end = block->end;
	MEMSTATE_NOACCESS(set->free_start, set->free_end - set->free_start);
	set->next_size = Min(block_size * 2, LARGEST_BLOCK);
	set->nblocks++;
	set->header.mem_allocated += block_size;
	return cut_chunk(set, class);
}

/* Take a block with its only chunk into the context. */
static void *
link_large(TransientContext *set, Block *block, Size block_size)
{
	Chunk	   *chunk = (Chunk *) ((char *) block + sizeof(Block));

	block->end = (char *) block + block_size;
	dlist_push_head(&set->large, &block->node);
	chunk->class = LARGE_CHUNK;
	chunk->owner = chunk_owner((MemoryContext) set, ROW);
	set->nblocks++;
	set->header.mem_allocated += block_size;
	return chunk_pointer(chunk);
}

static void
unlink_large(TransientContext *set, Block *block)
{
	dlist_delete(&block->node);
	set->nblocks--;
	set->header.mem_allocated -= block->end - (char *) block;
}

static Size
large_block_size(Size size)
{
	return MAXALIGN(size) + sizeof(Block) + sizeof(Chunk);
}

static void *pg_noinline
alloc_large(TransientContext *set, Size size, int flags)
{
	Size		block_size = large_block_size(size);
	Block	   *block;

	methods_check_size((MemoryContext) set, size, flags);
	block = arena_alloc(&transient_arena, block_size);
	if (block == NULL)
		return methods_no_memory((MemoryContext) set, size, flags);
	return link_large(set, block, block_size);
}

/* What can fail is the end of this function, so that nothing is kept for it meanwhile. */
static pg_attribute_always_inline void *
TransientAlloc(MemoryContext context, Size size, int flags)
{
	TransientContext *set = (TransientContext *) context;
	Size		class;
	void	   *pointer;

	if (unlikely(size > SMALL_MAX))
		return alloc_large(set, size, flags);
	class = size_class(size);
	pointer = set->freelists[class];
	if (pointer != NULL)
	{
		set->freelists[class] = next_free(pointer);
		return pointer;
	}
	if (unlikely(set->free_end - set->free_start <
				 (ptrdiff_t) (sizeof(Chunk) + class_size[class])))
		return alloc_from_new_block(set, size, flags);
	return cut_chunk(set, class);
}

static void
free_large(TransientContext *set, Chunk *chunk)
{
	Block	   *block = large_block(chunk);

	unlink_large(set, block);
	quarantine_put(&transient_arena, block);
}

static pg_attribute_always_inline void
TransientFree(MemoryContext context, void *pointer)
{
	TransientContext *set = (TransientContext *) context;
	Chunk	   *chunk = pointer_chunk(pointer);
	Size		class = chunk->class;

	if (unlikely(class >= CLASSES))
	{
		free_large(set, chunk);
		return;
	}
	set_next_free(pointer, set->freelists[class]);
	set->freelists[class] = pointer;
	set->has_free = true;
}

/* When there is no memory the chunk stays as it is. */
static void *
realloc_large(TransientContext *set, Chunk *chunk, Size size, int flags)
{
	Block	   *block = large_block(chunk);
	Size		old_size = block->end - (char *) block;
	Size		block_size = large_block_size(size);
	Block	   *moved;

	methods_check_size((MemoryContext) set, size, flags);
	unlink_large(set, block);
	moved = arena_realloc(&transient_arena, block, old_size, block_size);
	if (moved == NULL)
	{
		link_large(set, block, old_size);
		return methods_no_memory((MemoryContext) set, size, flags);
	}
	return link_large(set, moved, block_size);
}

/* Of two large sizes the pages are moved, a small chunk never shrinks; else it is copied. */
static void *
TransientRealloc(MemoryContext context, void *pointer, Size size, int flags)
{
	TransientContext *set = (TransientContext *) context;
	Chunk	   *chunk = pointer_chunk(pointer);
	Size		old_size = chunk_size(chunk);
	void	   *moved;

	if (chunk->class == LARGE_CHUNK && size > SMALL_MAX)
		return realloc_large(set, chunk, size, flags);
	if (chunk->class != LARGE_CHUNK && size <= old_size)
		return pointer;
	moved = TransientAlloc(context, size, flags);
	if (moved == NULL)
		return NULL;
	memcpy(moved, pointer, Min(size, old_size));
	TransientFree(context, pointer);
	return moved;
}

static void
free_blocks(dlist_head *blocks)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, blocks)
		arena_free(&transient_arena, dlist_container(Block, node, iter.cur));
	dlist_init(blocks);
}

/* Keep the first block only.  Lists are cleared only if there is anything in them. */
static void
TransientReset(MemoryContext context)
{
	TransientContext *set = (TransientContext *) context;

	if (set->nblocks > 1)
	{
		free_blocks(&set->blocks);
		free_blocks(&set->large);
	}
	if (set->has_free)
	{
		memset(set->freelists, 0, sizeof(set->freelists));
		set->has_free = false;
	}
	start_over(set);
}

static void
TransientDelete(MemoryContext context)
{
	TransientReset(context);
	if (!context_pool_give(&kept, context))
		arena_free(&transient_arena, context);
}

static Size
TransientGetChunkSpace(MemoryContext context, void *pointer)
{
	Chunk	   *chunk = pointer_chunk(pointer);

	if (chunk->class == LARGE_CHUNK)
		return chunk_size(chunk) + sizeof(Chunk) + sizeof(Block);
	return chunk_size(chunk) + sizeof(Chunk);
}

static bool
TransientIsEmpty(MemoryContext context)
{
	return context->isReset;
}

static void
TransientStats(MemoryContext context, MemoryStatsPrintFunc printfunc, void *passthru,
			   MemoryContextCounters *totals, bool print_to_stderr)
{
	TransientContext *set = (TransientContext *) context;
	Size		freespace = set->free_end - set->free_start;
	Size		freechunks = 0;

	for (int class = 0; class < CLASSES; class++)
	{
		for (void *pointer = set->freelists[class]; pointer; pointer = next_free(pointer))
		{
			freespace += class_size[class] + sizeof(Chunk);
			freechunks++;
		}
	}
	if (printfunc)
	{
		char		stats_string[200];

		snprintf(stats_string, sizeof(stats_string),
				 "%zu total in %zu blocks; %zu free (%zu chunks); %zu used",
				 context->mem_allocated, set->nblocks, freespace, freechunks,
				 context->mem_allocated - freespace);
		printfunc(context, passthru, stats_string, print_to_stderr);
	}
	if (totals)
	{
		totals->nblocks += set->nblocks;
		totals->freechunks += freechunks;
		totals->totalspace += context->mem_allocated;
		totals->freespace += freespace;
	}
}

#ifndef JEMCTX_CHECKING

METHODS_DEFINE(Transient)

const MemoryContextMethods transient_methods = {
	METHODS_OF(Transient),
};

#else

static inline Chunk *
chunk_after(Chunk *chunk)
{
	return (Chunk *) ((char *) chunk_pointer(chunk) + chunk_size(chunk));
}

/* Is that the end of the chunks in a block? */
static inline bool
at_end(Chunk *chunk, char *end)
{
	return end - (char *) chunk < (ptrdiff_t) sizeof(Chunk) || chunk->class == NO_CHUNK;
}

/* Does the header tell where the next chunk is? */
static bool
is_sound(TransientContext *set, Chunk *chunk, char *end)
{
	void	   *pointer = chunk_pointer(chunk);

	if (chunk->class >= CLASSES || (char *) chunk_after(chunk) > end)
		return false;
	return owner_context(chunk->owner) != (MemoryContext) set ||
		checking_header_is_right((MemoryContext) set, pointer);
}

/* Visit the small chunks that were cut off a block from start to end. */
static void
visit_block(TransientContext *set, char *start, char *end, ChunkVisitor visitor)
{
	Chunk	   *chunk = (Chunk *) start;

	while (!at_end(chunk, end))
	{
		Chunk	   *next;

		if (!is_sound(set, chunk, end))
		{
			checking_problem((MemoryContext) set, "bogus header of chunk", chunk_pointer(chunk));
			return;
		}
		next = chunk_after(chunk);
		if (owner_context(chunk->owner) == (MemoryContext) set)
			visitor((MemoryContext) set, chunk_pointer(chunk));
		chunk = next;
	}
}

/* The newest block is used up to free_start, the others up to a mark. */
static char *
used_end(TransientContext *set, char *end)
{
	return end == set->free_end ? set->free_start : end;
}

/* All chunks in use: in the first block, in other blocks, and large ones. */
static void
TransientVisit(MemoryContext context, ChunkVisitor visitor)
{
	TransientContext *set = (TransientContext *) context;
	dlist_mutable_iter iter;

	visit_block(set, (char *) set + MAXALIGN(sizeof(TransientContext)),
				used_end(set, (char *) set + FIRST_BLOCK), visitor);
	dlist_foreach_modify(iter, &set->blocks)
	{
		Block	   *block = dlist_container(Block, node, iter.cur);

		visit_block(set, (char *) (block + 1), used_end(set, block->end), visitor);
	}
	dlist_foreach_modify(iter, &set->large)
	{
		Chunk	   *chunk = (Chunk *) (dlist_container(Block, node, iter.cur) + 1);

		if (chunk->class == LARGE_CHUNK && checking_header_is_right(context, chunk_pointer(chunk)))
			visitor(context, chunk_pointer(chunk));
		else
			checking_problem(context, "bogus header of large chunk", chunk_pointer(chunk));
	}
}

/* Free chunks must be of the class of their list. */
static void
TransientCheckLists(MemoryContext context)
{
	TransientContext *set = (TransientContext *) context;

	for (int class = 0; class < CLASSES; class++)
	{
		for (void *pointer = set->freelists[class]; pointer; pointer = next_free(pointer))
		{
			if (pointer_chunk(pointer)->class != class)
			{
				checking_problem(context, "bogus header of free chunk", pointer);
				break;
			}
		}
	}
}

/* As far as its class tells. */
static bool
TransientOwns(MemoryContext context, void *pointer)
{
	return pointer_chunk(pointer)->class <= LARGE_CHUNK;
}

static Size
TransientDataSize(void *pointer)
{
	return chunk_size(pointer_chunk(pointer));
}

static const CheckedType checked_type = {
	.methods = CHECKED_METHODS,
	.inner = CHECKED_FUNCTIONS(Transient),
	.owns = TransientOwns,
	.data_size = TransientDataSize,
	.visit = TransientVisit,
	.check_lists = TransientCheckLists,
};

StaticAssertDecl(sizeof(Chunk) == CHECKING_HEADER,
				 "header of a checked chunk has an unexpected size");

#endif

bool
transient_describe(MemoryContext context, ContextInfo *info)
{
	if (context->methods != METHODS)
		return false;
	info->lifetime = JEMCTX_TRANSIENT;
	info->arena = &transient_arena;
	info->chunks = ((TransientContext *) context)->nblocks;
	info->allocated = context->mem_allocated;
	return true;
}
