/*-------------------------------------------------------------------------
 *
 * profile.c
 *	  jemctx_profile_start, _stop and _dump: the heap profile of this process.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "utils/builtins.h"

#include "compat/compat.h"
#include "jemalloc/mallctl.h"

COMPAT_FUNCTION(jemctx_profile_start);
COMPAT_FUNCTION(jemctx_profile_stop);
COMPAT_FUNCTION(jemctx_profile_dump);

static void
require_profiling(void)
{
	if (!mallctl_bool("config.prof") || !mallctl_bool("opt.prof"))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("heap profiling is not available"),
				 errdetail("The server was started without it."),
				 errhint("Set jemctx.profile to on and restart the server.")));
}

Datum
jemctx_profile_start(PG_FUNCTION_ARGS)
{
	require_profiling();
	mallctl_set_bool("prof.active", true);
	PG_RETURN_VOID();
}

Datum
jemctx_profile_stop(PG_FUNCTION_ARGS)
{
	require_profiling();
	mallctl_set_bool("prof.active", false);
	PG_RETURN_VOID();
}

/* The file's contents as text; the file is removed. */
static text *
take_file(const char *path)
{
	StringInfoData buf;
	FILE	   *file = AllocateFile(path, PG_BINARY_R);
	size_t		got;

	if (file == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open heap profile \"%s\": %m", path)));
	unlink(path);
	initStringInfo(&buf);
	do
	{
		enlargeStringInfo(&buf, BLCKSZ);
		got = fread(buf.data + buf.len, 1, BLCKSZ, file);
		buf.len += (int) got;
	} while (got > 0);
	if (ferror(file))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read heap profile \"%s\": %m", path)));
	FreeFile(file);
	return cstring_to_text_with_len(buf.data, buf.len);
}

/* jemalloc dumps into files only; the statistics directory is emptied at start. */
Datum
jemctx_profile_dump(PG_FUNCTION_ARGS)
{
	char	   *path = psprintf("%s/jemctx.%d.heap", PG_STAT_TMP_DIR, MyProcPid);

	require_profiling();
	mallctl_set_string("prof.dump", path);
	PG_RETURN_TEXT_P(take_file(path));
}
