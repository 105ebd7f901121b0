/*-------------------------------------------------------------------------
 *
 * profile.c
 *	  jemctx_profile_start, _stop and _dump: the heap profile of this process.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "storage/fd.h"
#include "utils/wait_event.h"

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

/*
 * jemalloc does not notice when it could write a part only.  Then the next
 * byte cannot be written, either.
 */
static void
require_complete(File file, off_t size)
{
	if (size < 0 || FileWrite(file, "\n", 1, size, WAIT_EVENT_BUFFILE_WRITE) != 1)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not write heap profile \"%s\": %m", FilePathName(file))));
}

static text *
read_file(File file, off_t size)
{
	text	   *content = palloc(VARHDRSZ + size);

	if (FileRead(file, VARDATA(content), (int) size, 0, WAIT_EVENT_BUFFILE_READ) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read heap profile \"%s\": %m", FilePathName(file))));
	SET_VARSIZE(content, VARHDRSZ + size);
	return content;
}

/*
 * jemalloc dumps into files only.  A temporary file of PostgreSQL's is removed
 * however this ends.
 */
Datum
jemctx_profile_dump(PG_FUNCTION_ARGS)
{
	File		file;
	off_t		size;
	text	   *profile;

	require_profiling();
	file = OpenTemporaryFile(false);
	mallctl_set_string("prof.dump", FilePathName(file));
	size = FileSize(file);
	require_complete(file, size);
	profile = read_file(file, size);
	FileClose(file);
	PG_RETURN_TEXT_P(profile);
}
