/*-------------------------------------------------------------------------
 *
 * info.c
 *	  jemctx_info: what this server runs on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"

#include "compat/compat.h"
#include "compat/dispatch.h"
#include "jemalloc/mallctl.h"
#include "jemalloc/overcommit.h"
#include "namespace/namespace.h"
#include "views/row.h"

#define HUGE_PAGES_FILE "/sys/kernel/mm/transparent_hugepage/enabled"

COMPAT_FUNCTION(jemctx_get_info);

/* The kernel's mode of transparent huge pages: the word in brackets. */
static const char *
transparent_huge_pages(void)
{
	char		line[128];
	char	   *mode = NULL;
	FILE	   *file = AllocateFile(HUGE_PAGES_FILE, "r");

	if (file == NULL)
		return "unsupported";
	if (fgets(line, sizeof(line), file) != NULL && (mode = strchr(line, '[')) != NULL)
		mode = pnstrdup(mode + 1, strcspn(mode + 1, "]"));
	FreeFile(file);
	return mode ? mode : "unknown";
}

/*
 * Where the region of namespaces is, for who may know the server's memory; NULL
 * if there is none.
 */
static const char *
region_address(void)
{
	if (namespace_region_size() == 0 || !has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS))
		return NULL;
	return psprintf("%p", namespace_region_address());
}

static void
info_row(Row *row, const char *name, const char *value)
{
	row_text(row, name);
	row_text(row, value);
	row_end(row);
}

Datum
jemctx_get_info(PG_FUNCTION_ARGS)
{
	Row			row;

	row_begin(&row, fcinfo);
	info_row(&row, "jemalloc_version", mallctl_string("version"));
	info_row(&row, "library", jemalloc_path());
	info_row(&row, "origin", jemalloc_origin_name());
	info_row(&row, "malloc", jemalloc_is_malloc ? "jemalloc" : "system");
	info_row(&row, "profiling", mallctl_bool("config.prof") && mallctl_bool("opt.prof") ?
			 "available" : "off");
	info_row(&row, "dispatch", dispatch_way());
	info_row(&row, "page_size", psprintf("%zu", mallctl_size("arenas.page")));
	info_row(&row, "overcommit", overcommit ? "on" : "off");
	info_row(&row, "transparent_huge_pages", transparent_huge_pages());
	info_row(&row, "region_size", psprintf("%zu", namespace_region_size()));
	info_row(&row, "region_address", region_address());
	return (Datum) 0;
}
