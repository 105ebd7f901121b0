/*-------------------------------------------------------------------------
 *
 * dsm.c
 *	  PostgreSQL's dynamic shared memory, as parallel queries have it.
 *
 * There is a segment for each such query and more, of which PostgreSQL keeps a
 * list in a segment of its own.  Their names say nothing of the server that
 * they belong to, so the list is what tells them from another server's.  It is
 * PostgreSQL's own, and the same from 14 to 19; it begins with a number that
 * says so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/dsm_impl.h"
#include "storage/pg_shmem.h"

#include "compat/dsm.h"

#define LIST_MAGIC 0x9a503d32

/* A segment in use has at least so many references. */
#define IN_USE 2

/* Segments with an odd name are parts of the main shared memory. */
#define IS_OF_ITS_OWN(handle) ((handle) % 2 == 0)

typedef struct ListedSegment
{
	dsm_handle	handle;
	uint32		references;
	size_t		first_page;
	size_t		pages;
	void	   *windows;
	bool		is_pinned;
} ListedSegment;

typedef struct SegmentList
{
	uint32		magic;
	uint32		count;
	uint32		most;
	ListedSegment segments[FLEXIBLE_ARRAY_MEMBER];
} SegmentList;

/* A segment that this process maps for a moment. */
typedef struct Mapping
{
	dsm_handle	handle;
	void	   *private;
	void	   *address;
	Size		size;
} Mapping;

/* Map a segment; false if it has gone. */
static bool
attach(Mapping *mapping, dsm_handle handle)
{
	*mapping = (Mapping) {.handle = handle};
	return dsm_impl_op(DSM_OP_ATTACH, handle, 0, &mapping->private, &mapping->address,
					   &mapping->size, DEBUG1);
}

static void
detach(Mapping *mapping)
{
	dsm_impl_op(DSM_OP_DETACH, mapping->handle, 0, &mapping->private, &mapping->address,
				&mapping->size, LOG);
}

/* Is it the list, in the form that we know? */
static bool
is_list(const Mapping *mapping)
{
	const SegmentList *list = mapping->address;

	return mapping->size >= sizeof(SegmentList) && list->magic == LIST_MAGIC &&
		list->count <= list->most &&
		list->most <= (mapping->size - sizeof(SegmentList)) / sizeof(ListedSegment);
}

/*
 * The size of a segment on the list.  It is read without PostgreSQL's lock:
 * one that has gone has no size any more, whatever the list says meanwhile.
 */
static Size
segment_size(const ListedSegment *segment)
{
	dsm_handle	handle = segment->handle;
	Mapping		mapping;
	Size		size;

	if (segment->references < IN_USE || !IS_OF_ITS_OWN(handle) || !attach(&mapping, handle))
		return 0;
	size = mapping.size;
	detach(&mapping);
	return size;
}

/*
 * The bytes of all segments of this server, the list and what is a part of the
 * main shared memory not among them; SIZE_MAX if that cannot be told.
 */
Size
dsm_size(void)
{
	const PGShmemHeader *header = UsedShmemSegAddr;
	const SegmentList *list;
	Mapping		mapping;
	Size		sum = 0;

	if (header == NULL || !attach(&mapping, header->dsm_control))
		return SIZE_MAX;
	list = mapping.address;
	if (is_list(&mapping))
	{
		for (uint32 i = 0; i < Min(list->count, list->most); i++)
			sum += segment_size(&list->segments[i]);
	}
	else
		sum = SIZE_MAX;
	detach(&mapping);
	return sum;
}
