/*-------------------------------------------------------------------------
 *
 * counts.c
 *	  How many free objects each process keeps of each namespace.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat/compat.h"
#include "shared/control.h"
#include "shared/counts.h"
#include "shared/mapping.h"

typedef union PaddedCounts
{
	Counts		counts;
	char		pad[2 * PG_CACHE_LINE_SIZE];
} PaddedCounts;

static PaddedCounts *all;

/* In the postmaster: map them, or empty them after a crash. */
bool
counts_map(void)
{
	Size		count = (Size) compat_proc_count() * NAMESPACE_SLOTS;

	all = mapping_fresh(all, count * sizeof(PaddedCounts), -1);
	return all != NULL;
}

Counts *
counts_of(int process, int slot)
{
	return &all[process * NAMESPACE_SLOTS + slot].counts;
}
