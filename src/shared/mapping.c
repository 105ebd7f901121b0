/*-------------------------------------------------------------------------
 *
 * mapping.c
 *	  Memory that all processes share, beside PostgreSQL's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>

#include "shared/mapping.h"

/* A new mapping, or NULL. */
static void *
map(Size bytes, int file)
{
	int			flags = MAP_SHARED | MAP_NORESERVE | (file < 0 ? MAP_ANONYMOUS : 0);
	void	   *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file, 0);

	return start == MAP_FAILED ? NULL : start;
}

/*
 * Empty a mapping, which outlives a crash of the server.  There is no going
 * on if that fails: what the dead have left would be taken for zeros.
 */
static void
wipe(void *start, Size bytes)
{
	if (madvise(start, bytes, MADV_REMOVE) != 0)
		ereport(FATAL,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not empty the memory of namespaces: %m")));
}

/*
 * Memory without contents: the old mapping, emptied, or if there is none a new
 * one, of a file or (-1) without.  NULL if the kernel refuses.
 */
void *
mapping_fresh(void *old, Size bytes, int file)
{
	if (old == NULL)
		return map(bytes, file);
	wipe(old, bytes);
	return old;
}
