/*-------------------------------------------------------------------------
 *
 * region.c
 *	  The address space of all namespaces.
 *
 * It is a file in memory without a name, of which the kernel tells at any time
 * how much of it has been touched.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"

#include "jemalloc/overcommit.h"
#include "shared/failpoint.h"
#include "shared/mapping.h"
#include "shared/region.h"

/* The unit of st_blocks. */
#define BLOCK_BYTES 512

int			namespace_memory;
char	   *region_base;
Size		region_pages;

/* The region's file, -1 where it has none; every process inherits it. */
static int	region_file = -1;

/* Give a file its size.  How large files may be (ulimit -f) is meant for those on disks. */
static bool
set_size(int file, Size bytes)
{
	struct rlimit before;
	struct rlimit most;
	bool		done;

	if (getrlimit(RLIMIT_FSIZE, &before) != 0)
		return false;
	most = before;
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_FSIZE, &most);
	done = ftruncate(file, bytes) == 0;
	setrlimit(RLIMIT_FSIZE, &before);
	return done;
}

static void
report_no_file(void)
{
	ereport(WARNING,
			(errmsg("could not make a file in memory for namespaces: %m"),
			 errdetail("They have other memory, but how much of it has been touched cannot be "
					   "told: what was allocated and not yet used counts as available."),
			 errhint("Raise the limit on the size of files (ulimit -H -f) of the server.")));
}

/*
 * Where the kernel does not overcommit, it must promise all of the region when
 * it maps it, as it does without a file: pages of one it would refuse by a
 * signal when they are touched.
 */
static void
open_file(void)
{
	if (!overcommit)
		return;
	region_file = memfd_create("jemctx region", MFD_CLOEXEC);
	if (region_file >= 0 && set_size(region_file, region_size()))
		return;
	report_no_file();
	if (region_file >= 0)
		close(region_file);
	region_file = -1;
}

/* In the postmaster: map the region, or empty it after a crash.  False if that cannot be. */
bool
region_map(void)
{
	if (region_base == NULL)
	{
		region_pages = (Size) namespace_memory * 1024 / SIZES_PAGE;
		open_file();
	}
	region_base = mapping_fresh(region_base, region_size(), region_file);
	return region_base != NULL;
}

/* There are to be no namespaces. */
void
region_unmap(void)
{
	int			save_errno = errno;

	if (region_base != NULL)
		munmap(region_base, region_size());
	if (region_file >= 0)
		close(region_file);
	region_base = NULL;
	region_file = -1;
	errno = save_errno;
}

Size
region_size(void)
{
	return region_pages * SIZES_PAGE;
}

/* Bytes of it that a namespace may hold at most. */
uint64
region_limit(Namespace *space)
{
	uint64		limit = pg_atomic_read_u64(&space->limit);

	return limit > 0 ? Min(limit, region_size()) : region_size();
}

/* Have the kernel take the memory behind pages; they read as zeros then. */
bool
region_remove(Size page, Size pages)
{
	return !failpoint_is_due(REMOVE) &&
		madvise(region_address(page), pages * SIZES_PAGE, MADV_REMOVE) == 0;
}

/*
 * Bytes of those that are committed which nobody has touched yet: they are
 * promised, and the machine still counts them as available.  None where that
 * cannot be told.
 */
Size
region_untouched(Size committed)
{
	struct stat status;
	Size		touched;

	if (region_file < 0 || fstat(region_file, &status) != 0)
		return 0;
	touched = (Size) status.st_blocks * BLOCK_BYTES;
	return committed > touched ? committed - touched : 0;
}
