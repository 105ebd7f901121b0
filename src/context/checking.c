/*-------------------------------------------------------------------------
 *
 * checking.c
 *	  Checks around the methods of our contexts, in checking builds.
 *
 * A chunk in use has a seal in its header, made from its address, its context
 * and its size, and a sentinel right after the bytes that were asked for.
 * What is freed or resized must have both: so an address that is not a chunk,
 * a header that was overwritten, and a write past the end are found out.
 *
 * The context of a free chunk is "freed_chunks", whose methods do nothing but
 * report.  PostgreSQL finds a chunk's context right before the data, so it
 * calls them when a chunk is freed again.  A deleted context has methods of
 * that kind, too.
 *
 * New data is filled with a byte that is different from chunk to chunk, freed
 * data with 0x7F.  What is larger than FILL_MAX is filled up to there only:
 * the memory of huge arrays is not all touched in other builds, either.
 *
 * An ERROR is raised for what the caller has done wrong right now, a WARNING,
 * as PostgreSQL does, for what went wrong at some time before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arena/memstate.h"
#include "context/checking.h"
#include "context/freed.h"

#ifdef JEMCTX_CHECKING

#define FREED_BYTE 0x7F
#define FILL_MAX ((Size) 1024 * 1024)

#define SENTINEL UINT64CONST(0x7E5EA17E7E5EA17E)
#define SENTINEL_SIZE sizeof(uint64)

#define SEAL_SALT UINT64CONST(0x9E3779B97F4A7C15)

/*
 * Chunks smaller than this move whenever they are resized, so that whoever kept
 * the old address is detected.
 */
#define MOVED_MAX ((Size) 64 * 1024)

/* How we ask the type, which knows nothing of the sentinel: any size, and NULL for no memory. */
#define QUIETLY (MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM)

static void report_freed(void *pointer);
static FreedContext freed_chunks = {
	.header = {
		.type = T_AllocSetContext,
		.methods = &freed_methods,
		.name = "freed chunks",
	},
	.report = report_freed,
};
static const MemoryContextMethods deleted_methods;

/* Problems that were reported by WARNING. */
static int	problems;

static inline const CheckedType *
type_of(MemoryContext context)
{
	return (const CheckedType *) context->methods;
}

static inline CheckedFields *
pointer_fields(const void *pointer)
{
	return (CheckedFields *) ((char *) pointer - CHECKING_HEADER);
}

static inline void
set_context(void *pointer, MemoryContext context)
{
	((ChunkOwner *) pointer)[-1] = chunk_owner(context, ROW_ANY);
}

/* Nobody else looks at the fields, so whoever writes to them is found out. */
static CheckedFields
read_fields(const void *pointer)
{
	CheckedFields fields;

	MEMSTATE_DEFINED(pointer_fields(pointer), sizeof(fields));
	fields = *pointer_fields(pointer);
	MEMSTATE_NOACCESS(pointer_fields(pointer), sizeof(fields));
	return fields;
}

static void
write_fields(void *pointer, Size requested, uintptr_t seal)
{
	CheckedFields *fields = pointer_fields(pointer);

	MEMSTATE_UNDEFINED(fields, sizeof(*fields));
	fields->requested = requested;
	fields->seal = seal;
	MEMSTATE_NOACCESS(fields, sizeof(*fields));
}

static uintptr_t
seal_of(MemoryContext context, const void *pointer, Size requested)
{
	return ((uintptr_t) pointer ^ ((uintptr_t) context << 16) ^ requested) * SEAL_SALT;
}

/* Is this the header of a chunk of the context that is in use? */
bool
checking_header_is_right(MemoryContext context, const void *pointer)
{
	CheckedFields fields = read_fields(pointer);

	return pointer_context(pointer) == context &&
		fields.seal == seal_of(context, pointer, fields.requested);
}

/* Count, and warn: what went wrong happened some time ago. */
void
checking_problem(MemoryContext context, const char *problem, const void *pointer)
{
	problems++;
	elog(WARNING, "problem in memory context \"%s\": %s %p", context->name, problem, pointer);
}

/* Warn if somebody has written past the end of a chunk. */
static void
check_sentinel(MemoryContext context, void *pointer)
{
	char	   *end = (char *) pointer + read_fields(pointer).requested;
	uint64		sentinel;

	MEMSTATE_DEFINED(end, SENTINEL_SIZE);
	memcpy(&sentinel, end, SENTINEL_SIZE);
	MEMSTATE_NOACCESS(end, SENTINEL_SIZE);
	if (sentinel != SENTINEL)
		checking_problem(context, "detected write past the end of chunk", pointer);
}

/* The pointer that the caller gave must be a chunk in use. */
static void
require_chunk(MemoryContext context, void *pointer)
{
	if (!checking_header_is_right(context, pointer) || !type_of(context)->owns(context, pointer))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg_internal("pointer %p is not a chunk of memory context \"%s\"", pointer,
								 context->name),
				 errdetail_internal("It points into something else, or the bytes before it "
									"were overwritten.")));
}

/* A chunk with a new size: what is in it from byte "known" on means nothing. */
static void
open_chunk(MemoryContext context, char *pointer, Size size, Size known)
{
	static unsigned char fill;
	uint64		sentinel = SENTINEL;

	if (size > known)
	{
		fill = (fill + 1) | 0x80;
		memset(pointer + known, fill, Min(size - known, FILL_MAX));
		MEMSTATE_UNDEFINED(pointer + known, size - known);
	}
	memcpy(pointer + size, &sentinel, SENTINEL_SIZE);
	MEMSTATE_NOACCESS(pointer + size, type_of(context)->data_size(pointer) - size);
	write_fields(pointer, size, seal_of(context, pointer, size));
}

/* Wipe the chunk and mark it as free. */
static void
close_chunk(MemoryContext context, void *pointer)
{
	Size		requested = read_fields(pointer).requested;

	check_sentinel(context, pointer);
	MEMSTATE_UNDEFINED(pointer, requested);
	memset(pointer, FREED_BYTE, Min(requested, FILL_MAX));
	MEMSTATE_NOACCESS(pointer, requested);
	write_fields(pointer, requested, (uintptr_t) context->name);
	set_context(pointer, &freed_chunks.header);
}

/* Is that a size with a sentinel, too?  Nobody has so much memory that it matters. */
static inline bool
has_room(Size size)
{
	return size <= MaxAllocHugeSize - SENTINEL_SIZE;
}

void *
CheckedAlloc(MemoryContext context, Size size, int flags)
{
	char	   *pointer = NULL;

	methods_check_size(context, size, flags);
	if (has_room(size))
		pointer = type_of(context)->inner.alloc(context, size + SENTINEL_SIZE, QUIETLY);
	if (pointer == NULL)
		return methods_no_memory(context, size, flags);
	set_context(pointer, context);
	MEMSTATE_POOL_ALLOC(context, pointer, size);
	MEMSTATE_UNDEFINED(pointer, type_of(context)->data_size(pointer));
	open_chunk(context, pointer, size, 0);
	return pointer;
}

static void
free_chunk(MemoryContext context, void *pointer)
{
	close_chunk(context, pointer);
	MEMSTATE_POOL_FREE(context, pointer);
	type_of(context)->inner.free(context, pointer);
}

void
CheckedFree(MemoryContext context, void *pointer)
{
	require_chunk(context, pointer);
	free_chunk(context, pointer);
}

/* Resize by another chunk, so that whoever has kept the old address is found. */
static void *
move_chunk(MemoryContext context, void *pointer, Size old_size, Size size, int flags)
{
	void	   *moved = CheckedAlloc(context, size, flags);

	if (moved == NULL)
		return NULL;
	memcpy(moved, pointer, Min(old_size, size));
	free_chunk(context, pointer);
	return moved;
}

/* As the type does it, which copies a chunk with its header or moves pages. */
static void *
resize_chunk(MemoryContext context, char *pointer, Size old_size, Size size, int flags)
{
	char	   *moved = NULL;

	methods_check_size(context, size, flags);
	MEMSTATE_DEFINED(pointer_fields(pointer), sizeof(CheckedFields));
	MEMSTATE_UNDEFINED(pointer + old_size, type_of(context)->data_size(pointer) - old_size);
	if (has_room(size))
		moved = type_of(context)->inner.realloc(context, pointer, size + SENTINEL_SIZE, QUIETLY);
	if (moved == NULL)
	{
		open_chunk(context, pointer, old_size, old_size);
		return methods_no_memory(context, size, flags);
	}
	open_chunk(context, moved, size, Min(old_size, size));
	MEMSTATE_POOL_MOVE(context, pointer, moved, size);
	return moved;
}

void *
CheckedRealloc(MemoryContext context, void *pointer, Size size, int flags)
{
	Size		old_size;

	require_chunk(context, pointer);
	check_sentinel(context, pointer);
	old_size = read_fields(pointer).requested;
	if (Min(old_size, size) < MOVED_MAX)
		return move_chunk(context, pointer, old_size, size, flags);
	return resize_chunk(context, pointer, old_size, size, flags);
}

/* Check and wipe all chunks in use before the type frees them. */
void
CheckedReset(MemoryContext context)
{
	const CheckedType *type = type_of(context);

	type->check_lists(context);
	type->visit(context, close_chunk);
	MEMSTATE_POOL_EMPTY(context);
	type->inner.reset(context);
}

/* The same, and whoever uses the context afterwards gets an error. */
void
CheckedDelete(MemoryContext context)
{
	const CheckedType *type = type_of(context);

	type->check_lists(context);
	type->visit(context, close_chunk);
	MEMSTATE_POOL_DESTROY(context);
	context->methods = &deleted_methods;
	type->inner.delete(context);
}

Size
CheckedGetChunkSpace(MemoryContext context, void *pointer)
{
	require_chunk(context, pointer);
	return type_of(context)->inner.get_chunk_space(context, pointer);
}

bool
CheckedIsEmpty(MemoryContext context)
{
	return type_of(context)->inner.is_empty(context);
}

void
CheckedStats(MemoryContext context, MemoryStatsPrintFunc printfunc, void *passthru,
			 MemoryContextCounters *totals, bool print_to_stderr)
{
	type_of(context)->inner.stats(context, printfunc, passthru, totals, print_to_stderr);
}

/* Everything that can be wrong with a context, as WARNINGs. */
void
checking_check(MemoryContext context)
{
	type_of(context)->check_lists(context);
	type_of(context)->visit(context, check_sentinel);
}

/* A context has been created, or created again. */
void
checking_created(MemoryContext context)
{
	MEMSTATE_POOL_CREATE(context);
}

static Size requested_total;

static void
add_requested(MemoryContext context, void *pointer)
{
	requested_total += read_fields(pointer).requested;
}

/* Bytes that were asked for by those who use the context. */
Size
checking_requested(MemoryContext context)
{
	requested_total = 0;
	type_of(context)->visit(context, add_requested);
	return requested_total;
}

static void
check_tree(MemoryContext context)
{
	if (context->methods->reset == CheckedReset)
		checking_check(context);
	for (MemoryContext child = context->firstchild; child != NULL; child = child->nextchild)
		check_tree(child);
}

/* Check all contexts of this process.  Returns the number of problems, which are reported. */
int
checking_all(void)
{
	problems = 0;
	check_tree(TopMemoryContext);
	return problems;
}

/*
 * Methods of free chunks and deleted contexts
 */

static void
report_freed(void *pointer)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg_internal("chunk %p of memory context \"%s\" was freed already",
							 pointer, (const char *) read_fields(pointer).seal)));
}

static void
report_deleted(MemoryContext context)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg_internal("memory context \"%s\" was deleted already", context->name)));
}

static void *
DeletedAlloc(MemoryContext context, Size size, int flags)
{
	report_deleted(context);
	return NULL;				/* keep compiler quiet */
}

METHODS_FOR_ALLOC(Deleted)

static const MemoryContextMethods deleted_methods = {
	METHOD_ALLOC(Deleted),
	.reset = report_deleted,
	.delete_context = report_deleted,
};

#endif
