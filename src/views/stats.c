/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  jemctx_stats and jemctx_stats_json: jemalloc's own report.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "compat/compat.h"
#include "jemalloc/mallctl.h"

COMPAT_FUNCTION(jemctx_stats);
COMPAT_FUNCTION(jemctx_stats_json);

/*
 * The report as it is written.  An error must not be thrown through
 * jemalloc, so the buffer is malloc's, and lack of memory is remembered.
 */
typedef struct Report
{
	char	   *data;
	size_t		len;
	size_t		size;
	bool		failed;
} Report;

static void
append(void *opaque, const char *text)
{
	Report	   *report = opaque;
	size_t		more = strlen(text);

	if (report->failed)
		return;
	if (report->len + more + 1 > report->size)
	{
		size_t		size = Max(report->len + more + 1, report->size * 2);
		char	   *data = realloc(report->data, size);

		if (data == NULL)
		{
			report->failed = true;
			return;
		}
		report->data = data;
		report->size = size;
	}
	memcpy(report->data + report->len, text, more + 1);
	report->len += more;
}

/* jemalloc's report as a palloc'd string. */
static char *
stats_report(const char *opts)
{
	Report		report = {.data = NULL};
	char	   *result;

	mallctl_report(append, &report, opts);
	result = report.failed ? NULL : palloc_extended(report.len + 1, MCXT_ALLOC_NO_OOM);
	if (result != NULL)
		strlcpy(result, report.data ? report.data : "", report.len + 1);
	free(report.data);
	if (result == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed on the report of jemalloc's statistics.")));
	return result;
}

Datum
jemctx_stats(PG_FUNCTION_ARGS)
{
	char	   *opts = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(stats_report(opts)));
}

Datum
jemctx_stats_json(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(stats_report("J"))));
}
