/*-------------------------------------------------------------------------
 *
 * move.c
 *	  Move what is in one object to another, by moving pages.
 *
 * The kernel can move pages and leave the old ones mapped and empty (Linux
 * 5.7), so that jemalloc notices nothing.  It does that to one of its mappings
 * at a time, completely or not at all.  A range of several of them it has
 * refused until Linux 6.17; from then on it moves one after the other, and may
 * fail having moved some.  So they are moved one by one, and one that cannot
 * be moved is copied.
 *
 * Each move leaves a border in the kernel's list of mappings, of which a
 * process may have vm.max_map_count only.  So small ones are copied, too,
 * which makes them part of the mapping that they are copied to.
 *
 * Where the kernel charges what is mapped, having both mapped may be too much,
 * and everything is copied.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena/hooks.h"
#include "arena/move.h"
#include "jemalloc/overcommit.h"

/* Older kernels refuse it. */
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define MAPS_FILE "/proc/self/maps"

/* What PROCMAP_QUERY in linux/fs.h takes, since Linux 6.11. */
typedef struct MappingQuery
{
	uint64		size;			/* of this struct */
	uint64		flags;
	uint64		address;
	uint64		start;			/* of the mapping that has the address */
	uint64		end;
	uint64		unused[8];
} MappingQuery;

#define MAPPING_QUERY _IOWR('f', 17, MappingQuery)

StaticAssertDecl(sizeof(MappingQuery) == 104, "struct procmap_query has another size");

/*
 * How much of the range lies in its first mapping.  A kernel that does not say
 * moves a range of several mappings as little as it says.
 */
static Size
mapping_size(int maps, const char *from, Size size)
{
	MappingQuery query = {.size = sizeof(query), .address = (uintptr_t) from};

	if (ioctl(maps, MAPPING_QUERY, &query) != 0)
		return size;
	return Min(size, query.end - (uintptr_t) from);
}

/*
 * Move or copy what lies in one mapping.  The kernel may have unmapped the
 * place that pages are moved to before it finds that it cannot move them.
 * Returns false, nothing moved, in the case that it cannot be mapped again,
 * either.
 */
static bool
move_mapping(char *to, char *from, Size size)
{
	if (size >= MOVE_SMALLEST)
	{
		if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) !=
			MAP_FAILED)
			return true;
		if (!hooks_map_again(to, size))
			return false;
	}
	memcpy(to, from, size);
	return true;
}

/*
 * Move the contents of an object to another, both movable.  Returns false when
 * they could not be moved, and are where they were; then not all of the other
 * object is mapped any more.
 */
bool
move_contents(char *to, char *from, Size size)
{
	Size		pages = TYPEALIGN_DOWN(MOVE_PAGE, size);
	Size		moved = 0;
	int			maps = overcommit ? open(MAPS_FILE, O_RDONLY | O_CLOEXEC) : -1;

	while (maps >= 0 && moved < pages)
	{
		Size		part = mapping_size(maps, from + moved, pages - moved);

		if (!move_mapping(to + moved, from + moved, part))
		{
			memcpy(from, to, moved);
			break;
		}
		moved += part;
	}
	if (maps >= 0)
		close(maps);
	if (maps >= 0 && moved < pages)
		return false;
	memcpy(to + moved, from + moved, size - moved);
	return true;
}
