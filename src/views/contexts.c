/*-------------------------------------------------------------------------
 *
 * contexts.c
 *	  jemctx_contexts and jemctx_chunks: the contexts of jemctx in this
 *	  process, and what the small chunks of persistent ones lie in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "arena/slab.h"
#include "compat/compat.h"
#include "context/context.h"
#include "views/row.h"

/* As pg_backend_memory_contexts has it: an identifier may be a whole query. */
#define MAX_IDENT 1023

COMPAT_FUNCTION(jemctx_get_contexts);
COMPAT_FUNCTION(jemctx_get_chunks);

static const char *
clipped_ident(const char *ident)
{
	if (ident == NULL)
		return NULL;
	return pnstrdup(ident, pg_mbcliplen(ident, (int) strlen(ident), MAX_IDENT));
}

static void
context_row(Row *row, MemoryContext context, int level, const ContextInfo *info)
{
	row_text(row, context->name);
	row_text(row, clipped_ident(context->ident));
	row_text(row, context->parent ? context->parent->name : NULL);
	row_int32(row, level);
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
	row_end(row);
}

static void
context_rows(Row *row, MemoryContext context, int level)
{
	ContextInfo info;

	check_stack_depth();
	if (context_describe(context, &info))
		context_row(row, context, level, &info);
	for (MemoryContext child = context->firstchild; child != NULL; child = child->nextchild)
		context_rows(row, child, level + 1);
}

Datum
jemctx_get_contexts(PG_FUNCTION_ARGS)
{
	Row			row;

	row_begin(&row, fcinfo);
	context_rows(&row, TopMemoryContext, 0);
	return (Datum) 0;
}

static void
chunk_row(Row *row, const ChunkClass *class)
{
	uint32		chunks = class->live - class->nhot;
	int64		live = (int64) chunks * class->size;
	int64		held = (int64) class->slabs * slab_class_bytes(class);

	if (class->slabs == 0)
		return;
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
