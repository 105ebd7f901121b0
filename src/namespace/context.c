/*-------------------------------------------------------------------------
 *
 * context.c
 *	  A MemoryContext that is a namespace: palloc and pfree in shared memory.
 *
 * A chunk has the address of its context right before it, so that must be the
 * same in all processes.  The contexts, one for each slot, are variables of
 * the module, which the postmaster loads: each process has them at the same
 * address, and as its own.  So what core writes there, a flag at each palloc,
 * is not written by all processes into one cache line.
 *
 * Such a context has no parent, and no children and callbacks but our own:
 * others would be one process's.  It cannot be deleted, only its namespace dropped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "compat/dispatch.h"
#include "compat/methods.h"
#include "compat/sentinel.h"
#include "context/freed.h"
#include "namespace/allocate.h"
#include "namespace/context.h"
#include "namespace/magazine.h"
#include "namespace/namespace.h"
#include "shared/directory.h"

typedef struct ChunkHeader
{
	Size		unused;			/* chunks are aligned like malloc's */
	ChunkOwner	owner;			/* must be last: PostgreSQL looks right before the data */
} ChunkHeader;

typedef struct pg_attribute_aligned(CONTEXT_ALIGNMENT) NamespaceContext
{
	MemoryContextData header;	/* must be first: standard fields of a context */
	JemctxNamespace *ns;		/* this process's handle */
	Sentinel	sentinel;		/* see post_sentinel() */
} NamespaceContext;

static NamespaceContext contexts[NAMESPACE_SLOTS];

/* The context of chunks that are free: freeing one again is detected. */
static FreedContext freed_chunks;

static ChunkHeader *
pointer_chunk(void *pointer)
{
	return (ChunkHeader *) pointer - 1;
}

/*
 * A handle of the namespace in the slot of a context, for one call.  It need
 * not take memory: to free some must not fail for lack of it.
 */
static JemctxNamespace *pg_noinline
find_handle(const NamespaceContext *set)
{
	Namespace  *space = &control->slots[set - contexts];
	DirectoryEntry entry;
	JemctxNamespace *ns;

	if (!directory_read(space, &entry))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the namespace of memory context %p was dropped", set)));
	ns = magazine_known_handle(space, entry.edition);
	if (ns == NULL)
	{
		ns = magazine_new_handle(entry.name, MCXT_ALLOC_NO_OOM);
		ns = ns ? magazine_handle(space, entry.edition, ns) : magazine_borrow(space, entry.edition);
	}
	magazine_check(ns);
	return ns;
}

/*
 * The namespace of a chunk: the one that is there now, since it has a chunk.
 * The chunk may have come to a process that has not had to do with it before.
 */
static inline JemctxNamespace *
chunk_handle(MemoryContext context)
{
	JemctxNamespace *ns = ((NamespaceContext *) context)->ns;

	if (unlikely(ns == NULL || !magazine_is_current(ns)))
		return find_handle((NamespaceContext *) context);
	return ns;
}

/* The namespace that the process got the context from, even if it is dropped. */
static inline JemctxNamespace *
context_handle(MemoryContext context)
{
	NamespaceContext *set = (NamespaceContext *) context;

	return likely(set->ns != NULL) ? set->ns : find_handle(set);
}

/* A chunk of a context, or NULL when there is no memory. */
static void *
alloc_chunk(JemctxNamespace *ns, MemoryContext context, Size size)
{
	ChunkHeader *chunk = jemctx_namespace_allocate(ns, size + sizeof(ChunkHeader),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);

	if (unlikely(chunk == NULL))
	{
		namespace_explain(ns, size);
		return NULL;
	}
	chunk->owner = chunk_owner(context, ROW_ANY);
	return chunk + 1;
}

static void *
NamespaceAlloc(MemoryContext context, Size size, int flags)
{
	void	   *pointer;

	methods_check_size(context, size, flags);
	pointer = alloc_chunk(context_handle(context), context, size);
	return likely(pointer != NULL) ? pointer : methods_no_memory(context, size, flags);
}

static void
NamespaceFree(MemoryContext context, void *pointer)
{
	ChunkHeader *chunk = pointer_chunk(pointer);

	namespace_free_chunk(chunk_handle(context), chunk, &chunk->owner,
						 chunk_owner(&freed_chunks.header, ROW_ANY));
}

static Size
NamespaceGetChunkSpace(MemoryContext context, void *pointer)
{
	return jemctx_namespace_usable_size(chunk_handle(context), pointer_chunk(pointer));
}

/* Would a chunk of another size be another object? */
static bool
must_move(Size space, Size needed)
{
	if (needed > space)
		return true;
	if (space <= SIZES_LARGEST)
		return size_class(needed) != size_class(space);
	return needed <= space / 2;
}

/* Stays where it is unless another object would serve better. */
static void *
NamespaceRealloc(MemoryContext context, void *pointer, Size size, int flags)
{
	Size		space = NamespaceGetChunkSpace(context, pointer);
	void	   *moved;

	methods_check_size(context, size, flags);
	if (!must_move(space, size + sizeof(ChunkHeader)))
		return pointer;
	moved = alloc_chunk(chunk_handle(context), context, size);
	if (moved == NULL)
		return methods_no_memory(context, size, flags);
	memcpy(moved, pointer, Min(size, space - sizeof(ChunkHeader)));
	NamespaceFree(context, pointer);
	return moved;
}

/*
 * Core does nothing to reset a context that this process has reset before and
 * allocated nothing in since; but others may have.  A sentinel's callback
 * counts as something.
 */
static void
post_sentinel(void *watched)
{
	sentinel_post(&((NamespaceContext *) watched)->sentinel, watched);
}

/* All of the namespace is reset: its other objects are no one's, either. */
static void
NamespaceReset(MemoryContext context)
{
	namespace_reset(context_handle(context));
}

static void
NamespaceDelete(MemoryContext context)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the memory context of namespace \"%s\" cannot be deleted",
					context_handle(context)->name),
			 errdetail("Other processes use it."),
			 errhint("Drop the namespace with jemctx_namespace_drop().")));
}

static bool
NamespaceIsEmpty(MemoryContext context)
{
	return pg_atomic_read_u64(&context_handle(context)->space->committed) == 0;
}

/* What the namespace holds is no process's, so none is blamed for it. */
static void
NamespaceStats(MemoryContext context, MemoryStatsPrintFunc printfunc, void *passthru,
			   MemoryContextCounters *totals, bool print_to_stderr)
{
	Namespace  *space = context_handle(context)->space;
	char		stats_string[200];

	if (!printfunc)
		return;
	snprintf(stats_string, sizeof(stats_string),
			 "shared by all processes, which hold " UINT64_FORMAT
			 " of at most " UINT64_FORMAT " bytes",
			 pg_atomic_read_u64(&space->committed), region_limit(space));
	printfunc(context, passthru, stats_string, print_to_stderr);
}

METHODS_DEFINE(Namespace)

static const MemoryContextMethods namespace_methods = {
	METHODS_OF(Namespace),
	METHODS_CHECK_NOTHING
};

static void
report_freed(void *pointer)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("chunk %p of a namespace was freed already", pointer)));
}

MemoryContext
jemctx_namespace_context(JemctxNamespace *ns)
{
	NamespaceContext *set = &contexts[ns->space->slot];

	dispatch_require();
	magazine_check(ns);
	set->ns = ns;
	set->header.mem_allocated = pg_atomic_read_u64(&ns->space->committed);
	return (MemoryContext) set;
}

/* In the postmaster, whenever shared memory is there. */
void
namespace_context_start(void)
{
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		methods_create_context(&contexts[slot].header, &namespace_methods, NULL,
							   control->slots[slot].name);
		contexts[slot].sentinel = (Sentinel) {.act = post_sentinel};
		post_sentinel(&contexts[slot]);
	}
	freed_chunks.report = report_freed;
	methods_create_context(&freed_chunks.header, &freed_methods, NULL, "freed chunks");
}
