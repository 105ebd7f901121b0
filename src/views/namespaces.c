/*-------------------------------------------------------------------------
 *
 * namespaces.c
 *	  jemctx_namespaces, and making and dropping namespaces from SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat/compat.h"
#include "namespace/figures.h"
#include "namespace/namespace.h"
#include "views/namespaces.h"

COMPAT_FUNCTION(jemctx_get_namespaces);
COMPAT_FUNCTION(jemctx_sql_namespace_create);
COMPAT_FUNCTION(jemctx_sql_namespace_drop);
COMPAT_FUNCTION(jemctx_sql_namespace_reset);
COMPAT_FUNCTION(jemctx_sql_namespace_set_limit);

static void
namespace_row(Row *row, const NamespaceFigures *figures, uint64 resident)
{
	row_text(row, figures->name);
	row_int64(row, figures->size_limit);
	row_int64(row, figures->allocated);
	row_int64(row, figures->cached);
	row_int64(row, figures->free);
	row_int64(row, figures->committed);
	row_int64(row, figures->active);
	row_int64(row, Min(resident, figures->committed));
	row_int64(row, figures->mapped);
	row_int64(row, figures->objects);
	row_int64(row, figures->refused);
	row_int64(row, figures->fills);
	row_int64(row, figures->flushes);
	row_datum(row, BoolGetDatum(figures->has_root), false);
	row_datum(row, TimestampTzGetDatum(figures->created_at), false);
	row_end(row);
}

Datum
jemctx_get_namespaces(PG_FUNCTION_ARGS)
{
	Row			row;
	NamespaceFigures figures;
	uint64		resident[FIGURES_OWNERS];

	row_begin(&row, fcinfo);
	if (!namespace_exist())
		return (Datum) 0;
	figures_resident(resident);
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (figures_of(slot, &figures))
			namespace_row(&row, &figures, resident[figures.owner]);
	}
	return (Datum) 0;
}

static void
bin_row(Row *row, const NamespaceFigures *figures, const BinFigures *bin)
{
	uint64		bytes = bin->curslabs * bin->slab_bytes;

	row_null(row);				/* none of this process */
	row_int64(row, bin->size);
	row_int64(row, bin->curregs);
	row_int64(row, bin->curslabs);
	row_int64(row, bin->nonfull_slabs);
	row_float8(row, (float8) bin->curregs / (bin->curslabs * bin->capacity));
	row_int64(row, bytes - bin->curregs * bin->size);
	row_text(row, figures->name);
	row_end(row);
}

void
namespace_bin_rows(Row *row)
{
	NamespaceFigures figures;
	BinFigures	bin;

	if (!namespace_exist() || !has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS))
		return;
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (!figures_name(slot, &figures))
			continue;
		for (int class = 0; class < SIZES_COUNT; class++)
		{
			figures_of_bin(slot, class, &bin);
			if (bin.curslabs > 0)
				bin_row(row, &figures, &bin);
		}
	}
}

static Size
limit_arg(FunctionCallInfo fcinfo)
{
	int64		limit = PG_GETARG_INT64(1);

	if (limit < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the limit of a namespace must not be negative")));
	return limit;
}

Datum
jemctx_sql_namespace_create(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (PG_GETARG_BOOL(2))
		jemctx_namespace_find_or_create(name, limit_arg(fcinfo));
	else
		jemctx_namespace_create(name, limit_arg(fcinfo));
	PG_RETURN_VOID();
}

Datum
jemctx_sql_namespace_drop(PG_FUNCTION_ARGS)
{
	jemctx_namespace_drop(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

Datum
jemctx_sql_namespace_reset(PG_FUNCTION_ARGS)
{
	jemctx_namespace_reset(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

/* No abort takes it back: if a limit has been passed so far, the error is raised before. */
Datum
jemctx_sql_namespace_set_limit(PG_FUNCTION_ARGS)
{
	JemctxNamespace *ns = jemctx_namespace_find(text_to_cstring(PG_GETARG_TEXT_PP(0)), false);

	CHECK_FOR_INTERRUPTS();
	jemctx_namespace_set_limit(ns, limit_arg(fcinfo));
	PG_RETURN_VOID();
}
