/*-------------------------------------------------------------------------
 *
 * costs.c
 *	  What this machine takes for the things that ratios depend on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"

#include "bench.h"

PG_FUNCTION_INFO_V1(jemctx_bench_costs);

#define ROUNDS 9
#define FAULTS 4096
#define CALLS 10000
#define OBJECT 64

/* Nanoseconds of one touch of a new page. */
static double
page_fault(void)
{
	Size		page = sysconf(_SC_PAGESIZE);
	char	   *pages = mmap(NULL, FAULTS * page, PROT_READ | PROT_WRITE,
							 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	double		ns;

	if (pages == MAP_FAILED)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not map memory: %m")));
	madvise(pages, FAULTS * page, MADV_NOHUGEPAGE);
	start_clock();
	for (int i = 0; i < FAULTS; i++)
		pages[i * page] = 1;
	ns = stop_clock(FAULTS);
	munmap(pages, FAULTS * page);
	return ns;
}

/* Of a call of the kernel that does nothing. */
static double
system_call(void)
{
	start_clock();
	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	return stop_clock(CALLS);
}

/* Of malloc and free of a small object, with the process's allocator. */
static double
small_malloc(void)
{
	start_clock();
	for (int i = 0; i < CALLS; i++)
	{
		void	   *volatile object = malloc(OBJECT);

		free(object);
	}
	return stop_clock(CALLS);
}

/* The least that it took in several rounds: the others were disturbed. */
static double
least(double (*cost) (void))
{
	double		result = cost();

	for (int i = 1; i < ROUNDS; i++)
		result = Min(result, cost());
	return result;
}

Datum
jemctx_bench_costs(PG_FUNCTION_ARGS)
{
	TupleDesc	tupdesc;
	bool		nulls[3] = {0};
	Datum		values[3];

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Float8GetDatum(least(page_fault));
	values[1] = Float8GetDatum(least(system_call));
	values[2] = Float8GetDatum(least(small_malloc));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls));
}
