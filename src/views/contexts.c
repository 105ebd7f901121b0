/*-------------------------------------------------------------------------
 *
 * contexts.c
 *	  jemctx_contexts and jemctx_chunks: the contexts of jemctx in this
 *	  process, and what the small chunks of persistent ones lie in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "compat/compat.h"
#include "context/context.h"
#include "context/slab.h"
#include "views/row.h"

/* As pg_backend_memory_contexts has it: an identifier may be a whole query. */
#define MAX_IDENT 1023

COMPAT_FUNCTION(jemctx_get_contexts);
COMPAT_FUNCTION(jemctx_get_contexts_1_1);
COMPAT_FUNCTION(jemctx_get_chunks);

/* A context on the way through all of them. */
typedef struct Visit
{
	MemoryContext context;
	int			parent;			/* place of its parent's visit */
	int			level;
} Visit;

/*
 * All contexts of this process, in the order of levels: what comes and goes far
 * below does not change the numbers of what is above.  PostgreSQL 18 has the same.
 */
typedef struct Walk
{
	Visit	   *visits;
	int			count;
	int			space;
} Walk;

static const char *
clipped_ident(const char *ident)
{
	if (ident == NULL)
		return NULL;
	return pnstrdup(ident, pg_mbcliplen(ident, (int) strlen(ident), MAX_IDENT));
}

/* Numbers, from 1, of the contexts from TopMemoryContext to the one at that place. */
static Datum
path_to(const Walk *walk, int place)
{
	int			length = walk->visits[place].level + 1;
	Datum	   *numbers = palloc(length * sizeof(Datum));
	ArrayType  *path;

	for (int i = length - 1; i >= 0; i--)
	{
		numbers[i] = Int32GetDatum(place + 1);
		place = walk->visits[place].parent;
	}
	path = construct_array(numbers, length, INT4OID, sizeof(int32), true, TYPALIGN_INT);
	return PointerGetDatum(path);
}

static void
context_row(Row *row, const Walk *walk, int place, const ContextInfo *info)
{
	MemoryContext context = walk->visits[place].context;

	row_text(row, context->name);
	row_text(row, clipped_ident(context->ident));
	row_text(row, context->parent ? context->parent->name : NULL);
	row_int32(row, walk->visits[place].level);
	row_text(row, info->lifetime == JEMCTX_PERSISTENT ? "persistent" : "transient");
	if (info->arena->index >= 0)
		row_int32(row, info->arena->index);
	else
		row_null(row);
	row_int64(row, info->chunks);
	row_int64(row, info->allocated);
	if (info->knows_requested)
		row_int64(row, info->requested);
	else
		row_null(row);
	row_since(row, ROW_1_1);
	row_datum(row, path_to(walk, place), false);
	row_end(row);
}

static void
visit_later(Walk *walk, MemoryContext context, int parent, int level)
{
	if (walk->count == walk->space)
	{
		walk->space *= 2;
		walk->visits = repalloc(walk->visits, walk->space * sizeof(Visit));
	}
	walk->visits[walk->count++] = (Visit) {context, parent, level};
}

/* Makes no contexts while it walks. */
static void
context_rows(FunctionCallInfo fcinfo, RowVersion declared)
{
	Row			row;
	Walk		walk = {.space = 256};

	row_begin_as(&row, fcinfo, declared);
	walk.visits = palloc(walk.space * sizeof(Visit));
	visit_later(&walk, TopMemoryContext, -1, 0);
	for (int place = 0; place < walk.count; place++)
	{
		MemoryContext context = walk.visits[place].context;
		int			level = walk.visits[place].level;
		ContextInfo info;

		if (context_describe(context, &info))
			context_row(&row, &walk, place, &info);
		for (MemoryContext child = context->firstchild; child != NULL; child = child->nextchild)
			visit_later(&walk, child, place, level + 1);
	}
}

ROW_FUNCTIONS(jemctx_get_contexts, context_rows)

static void
chunk_row(Row *row, const ChunkClass *class)
{
	int64		held = (int64) class->slabs * slab_class_bytes(class);
	uint32		chunks;
	int64		live;

	if (class->slabs == 0)
		return;
	chunks = slab_class_chunks(class);
	live = (int64) chunks * class->size;
	row_int64(row, class->size);
	row_int64(row, chunks);
	row_int64(row, class->slabs);
	row_float8(row, (float8) chunks / ((float8) class->slabs * class->capacity));
	row_int64(row, held - live);
	row_end(row);
}

Datum
jemctx_get_chunks(PG_FUNCTION_ARGS)
{
	Row			row;

	row_begin(&row, fcinfo);
	for (uint32 class = 0; class < slab_nclasses; class++)
		chunk_row(&row, &slab_classes[class]);
	return (Datum) 0;
}
