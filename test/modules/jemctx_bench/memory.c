/*-------------------------------------------------------------------------
 *
 * memory.c
 *	  What the process holds, and how its malloc gives it back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <malloc.h>

#include "storage/fd.h"

#include "bench.h"

/* jemalloc's MALLCTL_ARENAS_ALL, as a part of a node's name. */
#define PURGE_ALL "arena.4096.purge"

typedef int (*mallctl_function) (const char *, void *, size_t *, void *, size_t);

/* Anonymous memory of this process, from the kernel. */
Size
resident_bytes(void)
{
	FILE	   *file = AllocateFile("/proc/self/smaps_rollup", "r");
	char		line[256];
	unsigned long kb = 0;

	if (file == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open \"/proc/self/smaps_rollup\": %m")));
	while (fgets(line, sizeof(line), file) != NULL)
	{
		/* NOLINTNEXTLINE(cert-err34-c): the kernel prints an unsigned long */
		if (sscanf(line, "Anonymous: %lu kB", &kb) == 1)
			break;
	}
	FreeFile(file);
	return (Size) kb * 1024;
}

/* Have the malloc of this process return what it does not use. */
void
purge(void)
{
	mallctl_function mallctl = (mallctl_function) dlsym(RTLD_DEFAULT, "mallctl");

	if (mallctl == NULL)
		malloc_trim(0);
	else
	{
		mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
		mallctl(PURGE_ALL, NULL, NULL, NULL, 0);
	}
}
