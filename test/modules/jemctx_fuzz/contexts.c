/*-------------------------------------------------------------------------
 *
 * contexts.c
 *	  Memory contexts of the session, a tree of them, and what is in each.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_fuzz.h"

#include "executor/spi.h"
#include "utils/memutils.h"

#define CONTEXTS 16
#define NO_PARENT (-1)			/* TopMemoryContext */

/* More is not allocated: it takes too long. */
#define MOST_BYTES ((Size) 48 << 20)

typedef struct Chunk
{
	char	   *data;
	Size		size;
	uint8		seed;
} Chunk;

typedef struct Knot
{
	MemoryContext context;		/* NULL if there is none */
	int			parent;
	bool		persistent;
} Knot;

static Knot nodes[CONTEXTS];
static Chunk chunks[OBJECTS];	/* one slot in sixteen is the same context's */
static Size held;
static uint8 next_seed;

/* The names of contexts, by which their rows in the view are found. */
static const char *const numbers[CONTEXTS] = {
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"
};

static void
forget_chunk(Chunk *chunk)
{
	if (chunk->data != NULL)
		held -= chunk->size;
	chunk->data = NULL;
}

static void
forget_chunks(int node)
{
	for (int slot = node; slot < OBJECTS; slot += CONTEXTS)
		forget_chunk(&chunks[slot]);
}

static void
forget_children(int node)
{
	for (int child = 0; child < CONTEXTS; child++)
	{
		if (nodes[child].context == NULL || nodes[child].parent != node)
			continue;
		forget_children(child);
		forget_chunks(child);
		nodes[child].context = NULL;
	}
}

static void
create(int node, int parent, bool persistent)
{
	bool		below = parent != node && nodes[parent].context != NULL;
	MemoryContext context;

	if (nodes[node].context != NULL)
		return;
	context = JemctxContextCreate(below ? nodes[parent].context : TopMemoryContext, "fuzz",
								  persistent ? JEMCTX_PERSISTENT : JEMCTX_TRANSIENT);
	MemoryContextSetIdentifier(context, numbers[node]);
	nodes[node].context = context;
	nodes[node].parent = below ? parent : NO_PARENT;
	nodes[node].persistent = persistent;
}

static void
delete(int node)
{
	if (nodes[node].context == NULL)
		return;
	MemoryContextDelete(nodes[node].context);
	forget_children(node);
	forget_chunks(node);
	nodes[node].context = NULL;
}

static void
reset(int node, bool only)
{
	if (nodes[node].context == NULL)
		return;
	if (only)
		MemoryContextResetOnly(nodes[node].context);
	else
	{
		MemoryContextReset(nodes[node].context);
		forget_children(node);
	}
	forget_chunks(node);
	/* one with children is not empty either */
	if (nodes[node].context->firstchild == NULL && !MemoryContextIsEmpty(nodes[node].context))
		wrong("context %d is not empty after a reset", node);
}

/* Give it another parent, or none, unless that is below it. */
static void
move(int node, int parent)
{
	if (nodes[node].context == NULL)
		return;
	if (nodes[parent].context == NULL)
		parent = NO_PARENT;
	for (int above = parent; above != NO_PARENT; above = nodes[above].parent)
	{
		if (above == node)
			return;
	}
	MemoryContextSetParent(nodes[node].context,
						   parent == NO_PARENT ? TopMemoryContext : nodes[parent].context);
	nodes[node].parent = parent;
}

static void
check_chunk(const Chunk *chunk, int node)
{
	if (GetMemoryChunkContext(chunk->data) != nodes[node].context)
		wrong("chunk %p is of context %p, not %d", chunk->data, GetMemoryChunkContext(chunk->data),
			  node);
	if (GetMemoryChunkSpace(chunk->data) < chunk->size)
		wrong("chunk %p has less space than its size", chunk->data);
	check_painted(chunk->data, chunk->size, chunk->size, chunk->seed);
}

static void
set_chunk(Chunk *chunk, char *data, Size size)
{
	chunk->data = data;
	chunk->size = size;
	chunk->seed = next_seed++;
	held += size;
	paint(data, size, chunk->seed);
}

/*
 * A size that is valid and that is too much to be tried: the kernel may grant
 * the address space, and AddressSanitizer would fill its shadow of it.
 */
static bool
is_too_much(const Op *op)
{
	return size_is_valid(op) && op->size + held > MOST_BYTES;
}

static void
alloc(const Op *op, Chunk *chunk, MemoryContext context)
{
	char	   *data;

	if (chunk->data != NULL || is_too_much(op))
		return;
	fuzz_allowed = size_is_valid(op) ? MAY_SUCCEED : MAY_BE_TOO_LARGE;
	data = MemoryContextAllocExtended(context, op->size, alloc_flags(op));
	if (data == NULL)
	{
		if (!fuzz_limited)
			wrong("no memory for %zu bytes", (Size) op->size);
		return;
	}
	if (op->flags & OP_ZERO)
		check_zero(data, op->size);
	set_chunk(chunk, data, op->size);
}

static void
resize(const Op *op, Chunk *chunk, int node)
{
	Chunk		old = *chunk;
	char	   *data;

	if (chunk->data == NULL || is_too_much(op))
		return;
	check_chunk(chunk, node);
	fuzz_allowed = size_is_valid(op) ? MAY_SUCCEED : MAY_BE_TOO_LARGE;
	data = op->flags & OP_HUGE ? repalloc_huge(chunk->data, op->size) :
		repalloc(chunk->data, op->size);
	check_painted(data, old.size, op->size, old.seed);
	held -= old.size;
	set_chunk(chunk, data, op->size);
}

static void
free_chunk(Chunk *chunk, int node)
{
	if (chunk->data == NULL)
		return;
	check_chunk(chunk, node);
	fuzz_allowed |= NEEDS_NO_MEMORY;
	pfree(chunk->data);
	forget_chunk(chunk);
}

static void
check_all(int node)
{
	for (int slot = node; slot < OBJECTS; slot += CONTEXTS)
	{
		if (chunks[slot].data != NULL)
			check_chunk(&chunks[slot], node);
	}
}

static void
clean_up(void)
{
	for (int node = 0; node < CONTEXTS; node++)
	{
		check_all(node);
		delete(node);
	}
}

static void
perform_chunk(Op *op, int node)
{
	Chunk	   *chunk = &chunks[op->slot];

	if (nodes[node].context == NULL)
		return;
	if (op->code == CHUNK_ALLOC)
		alloc(op, chunk, nodes[node].context);
	else if (op->code == CHUNK_REALLOC)
		resize(op, chunk, node);
	else if (op->code == CHUNK_FREE)
		free_chunk(chunk, node);
	else
		check_all(node);
}

void
context_perform(Op *op)
{
	int			node = op->slot % CONTEXTS;
	int			other = op->number % CONTEXTS;

	switch (op->code)
	{
		case CONTEXT_CREATE:
			create(node, other, (op->flags & OP_CONTEXT) != 0);
			break;
		case CONTEXT_DELETE:
			delete(node);
			break;
		case CONTEXT_RESET:
			reset(node, false);
			break;
		case CONTEXT_RESET_ONLY:
			reset(node, true);
			break;
		case CONTEXT_MOVE:
			move(node, other);
			break;
		case CLEAN_UP:
			clean_up();
			break;
		default:
			perform_chunk(op, node);
	}
}

static int
level_of(int64 node)
{
	int			level = 1;

	while (nodes[node].parent != NO_PARENT)
	{
		node = nodes[node].parent;
		level++;
	}
	return level;
}

/* Compare a row of the view with the model. */
static void
check_figures(int64 node, int64 level, int64 nchunks, int64 allocated, int64 requested)
{
	int			count = 0;
	Size		size = 0;

	for (int64 slot = node; slot < OBJECTS; slot += CONTEXTS)
	{
		count += chunks[slot].data != NULL;
		size += chunks[slot].data != NULL ? chunks[slot].size : 0;
	}
	if (nodes[node].context == NULL || level != level_of(node))
		wrong("context " INT64_FORMAT " is at level " INT64_FORMAT, node, level);
	if (nodes[node].persistent ? nchunks != count : nchunks < 1)
		wrong("context " INT64_FORMAT " has " INT64_FORMAT " chunks, not %d", node, nchunks, count);
	if (requested != size || allocated < requested ||
		allocated != MemoryContextMemAllocated(nodes[node].context, false))
		wrong("context " INT64_FORMAT " has " INT64_FORMAT " bytes, of which " INT64_FORMAT
			  " were requested, not %zu",
			  node, allocated, requested, size);
}

static int64
column(HeapTuple row, int number)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, number, &isnull));
}

/* Is everything that the views tell of this session's contexts so? */
void
contexts_check(void)
{
	int			count = 0;

	for (int node = 0; node < CONTEXTS; node++)
		count += nodes[node].context != NULL;
	SPI_connect();
	SPI_execute("SELECT ident::bigint, level::bigint, chunks, allocated, requested "
				"FROM jemctx_contexts WHERE name = 'fuzz'", true, 0);
	if (SPI_processed != count)
		wrong("there are %d contexts, not %d", (int) SPI_processed, count);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];

		check_figures(column(row, 1), column(row, 2), column(row, 3), column(row, 4),
					  column(row, 5));
	}
	SPI_finish();
	if (count == 0)
		return;
	if (query("SELECT count(*) FROM jemctx_chunks WHERE utilization > 1 OR waste < "
			  "0 OR chunks < 0") > 0)
		wrong("a figure of jemctx_chunks cannot be");
	if (query("SELECT count(*) FROM jemctx_arenas WHERE name = 'persistent' AND committed <> "
			  "active + dirty") > 0)
		wrong("jemctx_arenas: committed is not active and dirty");
	if (query("SELECT count(*) FROM jemctx_backends WHERE pid = pg_backend_pid() AND committed > "
			  "committed_peak") > 0)
		wrong("jemctx_backends: committed is more than it ever was");
	if (query("SELECT jemctx_debug_check()::bigint") > 0)
		wrong("a memory context is damaged");
}
