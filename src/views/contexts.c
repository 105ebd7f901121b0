/*-------------------------------------------------------------------------
 *
 * contexts.c
 *	  jemctx_contexts: the contexts of jemctx in this process.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat/compat.h"
#include "context/context.h"
#include "views/row.h"

/* As pg_backend_memory_contexts has it: an identifier may be a whole query. */
#define MAX_IDENT 1024

COMPAT_FUNCTION(jemctx_get_contexts);

static const char *
clipped_ident(const char *ident)
{
	if (ident == NULL)
		return NULL;
	return pnstrdup(ident, pg_mbcliplen(ident, strlen(ident), MAX_IDENT));
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
