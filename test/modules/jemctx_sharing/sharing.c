/*-------------------------------------------------------------------------
 *
 * sharing.c
 *	  The SQL functions: find the peer and the work, and do a part in it.
 *
 *-------------------------------------------------------------------------
 */
#include "sharing.h"

#include <sys/mman.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"

#define PAGE 4096
#define ASKED_PAGES 4096

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(jemctx_sharing);
PG_FUNCTION_INFO_V1(jemctx_sharing_fresh);
PG_FUNCTION_INFO_V1(jemctx_sharing_shmem);

/* Wait until all processes of the work are here. */
void
meet(Part *part)
{
	pg_atomic_uint32 *arrived = &part->common->arrived[part->processes];
	uint32		number = pg_atomic_fetch_add_u32(arrived, 1);
	uint32		all = (number / part->processes + 1) * part->processes;

	while (pg_atomic_read_u32(arrived) < all)
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(20);
	}
}

Datum
jemctx_sharing(PG_FUNCTION_ARGS)
{
	const Work *work = find_work(text_to_cstring(PG_GETARG_TEXT_PP(0)),
								 text_to_cstring(PG_GETARG_TEXT_PP(1)));
	Part		part = {
		.common = peers_open(),
		.process = PG_GETARG_INT32(2),
		.processes = PG_GETARG_INT32(3),
		.amount = PG_GETARG_INT32(4),
	};
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false};

	if (part.processes < 1 || part.processes > MOST_PROCESSES)
		elog(ERROR, "a work has from 1 to %d processes", MOST_PROCESSES);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	work->run(&part);
	values[0] = Float8GetDatum(part.ns);
	values[1] = Float8GetDatum(part.busy);
	values[2] = Float8GetDatum(part.p99);
	values[3] = Int64GetDatum(part.live);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

Datum
jemctx_sharing_fresh(PG_FUNCTION_ARGS)
{
	peers_fresh(PG_GETARG_INT64(0));
	PG_RETURN_VOID();
}

/* Bytes of a mapping that are in memory, whichever process has put them there. */
static Size
present_bytes(char *start, char *end)
{
	unsigned char present[ASKED_PAGES];
	Size		pages = 0;

	for (; start < end; start += (Size) ASKED_PAGES * PAGE)
	{
		Size		count = Min(ASKED_PAGES, (end - start) / PAGE);

		if (mincore(start, count * PAGE, present) != 0)
			ereport(ERROR, (errmsg("could not ask for pages in memory: %m")));
		for (Size i = 0; i < count; i++)
			pages += present[i] & 1;
	}
	return pages * PAGE;
}

/*
 * What the kernel has of the shared memory that this process has mapped: the
 * server's own, the region of namespaces, segments of dsa.
 */
Datum
jemctx_sharing_shmem(PG_FUNCTION_ARGS)
{
	FILE	   *file = AllocateFile("/proc/self/maps", "r");
	char		line[512];
	Size		total = 0;

	if (file == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open \"/proc/self/maps\": %m")));
	while (fgets(line, sizeof(line), file) != NULL)
	{
		void	   *start;
		void	   *end;
		char		mode[5];

		if (sscanf(line, "%p-%p %4s", &start, &end, mode) == 3 && mode[3] == 's' &&
			(strstr(line, "/dev/zero") || strstr(line, "/memfd:jemctx region") ||
			 strstr(line, "/dev/shm/PostgreSQL")))
			total += present_bytes(start, end);
	}
	FreeFile(file);
	PG_RETURN_INT64(total);
}
