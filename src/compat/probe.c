/*-------------------------------------------------------------------------
 *
 * probe.c
 *	  Try how PostgreSQL finds the methods of chunks.
 *
 * With a chunk that is none, of a context that is none: nothing is allocated.
 * A type's own row is tried with contexts of the type.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat/methods.h"
#include "compat/probe.h"

/*
 * What goes wrong in an attempt: what its error says, or "it has failed"; NULL
 * for nothing.
 */
const char *
probe_caught(bool (*attempt) (void))
{
	MemoryContext context = CurrentMemoryContext;
	const char *volatile result = "it has failed";

	PG_TRY();
	{
		if (attempt())
			result = NULL;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		result = CopyErrorData()->message;
		FlushErrorState();
	}
	PG_END_TRY();
	return result;
}

#if PG_VERSION_NUM >= 160000

#define SPACE 4711

typedef struct pg_attribute_aligned(CONTEXT_ALIGNMENT) ProbeContext
{
	MemoryContextData header;
	void	   *freed;
	void	   *resized;
} ProbeContext;

/* A word that is before a chunk, and the chunk. */
typedef struct pg_attribute_aligned(CONTEXT_ALIGNMENT) ProbeChunk
{
	uint64		unused;
	ChunkOwner	owner;
	uint64		data[2];
} ProbeChunk;

static ProbeContext probe_context;
static ProbeChunk probe_chunk;

static void
ProbeFree(MemoryContext context, void *pointer)
{
	((ProbeContext *) context)->freed = pointer;
}

static void *
ProbeRealloc(MemoryContext context, void *pointer, Size size, int flags)
{
	((ProbeContext *) context)->resized = pointer;
	return pointer;
}

static Size
ProbeGetChunkSpace(MemoryContext context, void *pointer)
{
	return SPACE;
}

METHODS_FOR_CHUNKS(Probe)

static const MemoryContextMethods probe_methods = {
	METHODS_OF_CHUNKS(Probe),
};

/* PostgreSQL calls the methods that the context has. */
static bool
any_row_works(void)
{
	void	   *pointer = probe_chunk.data;

	probe_context.header.type = T_AllocSetContext;
	probe_context.header.methods = &probe_methods;
	probe_chunk.owner = chunk_owner(&probe_context.header, ROW_ANY);
	if (GetMemoryChunkContext(pointer) != &probe_context.header ||
		GetMemoryChunkSpace(pointer) != SPACE || repalloc(pointer, 1) != pointer)
		return false;
	pfree(pointer);
	return probe_context.resized == pointer && probe_context.freed == pointer;
}

static bool
free_probe(void)
{
	pfree(probe_chunk.data);
	return true;
}

/* Memory that was never used, and that PostgreSQL has wiped, are still no chunks. */
static const char *
fault_of_others(void)
{
	static const ChunkOwner owners[] = {0, UINT64CONST(0x7F7F7F7F7F7F7F7F)};

	for (int i = 0; i < lengthof(owners); i++)
	{
		const char *error;

		probe_chunk.owner = owners[i];
		error = probe_caught(free_probe);
		if (error == NULL || strstr(error, "invalid pointer") == NULL)
			return "a pointer to no chunk is not refused";
	}
	return NULL;
}

/* When the row for all contexts is ours: what does not work, or NULL. */
const char *
probe_rows(void)
{
	const char *fault = probe_caught(any_row_works);

	return fault ? psprintf("row %d does not work: %s", ROW_ANY, fault) : fault_of_others();
}

#else

/* There are none. */
const char *
probe_rows(void)
{
	return NULL;
}

#endif
