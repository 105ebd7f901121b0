/*-------------------------------------------------------------------------
 *
 * jemalloc.c
 *	  The jemalloc library that this server runs on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>

#include "jemalloc/jemalloc.h"

Jemalloc	je;
JemallocOrigin jemalloc_origin;
bool		jemalloc_is_malloc;

char	   *jemalloc_library;
bool		jemalloc_profile;

/* The server was started without us. */
void
jemalloc_missing(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("jemctx must be loaded when the server starts"),
			 errdetail("It puts the memory of all processes of the server into arenas."),
			 errhint("Add \"jemctx\" to shared_preload_libraries and restart the server.")));
}

/* For jemctx_info. */
const char *
jemalloc_origin_name(void)
{
	static const char *const names[] = {"preloaded", "re-executed", "dlopened"};

	return names[jemalloc_origin];
}

/* The file that the library in the table was loaded from. */
const char *
jemalloc_path(void)
{
	Dl_info		info;

	if (dladdr((void *) je.mallctl, &info) == 0)
		return jemalloc_library;
	return info.dli_fname;
}
