/*-------------------------------------------------------------------------
 *
 * jemctx_rival.c
 *	  Another module that takes a row of PostgreSQL's table of methods.
 *
 * It does not look whether the row is somebody's, and has no contexts: what is
 * in its row then is that of an AllocSet.  With jemctx_rival.spoil it changes
 * the row of a type of PostgreSQL's own instead, as if the table were another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fmgr.h"
#include "nodes/memnodes.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "major.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

#if !MAJOR_HAS_VTABLES

#include "utils/memutils_internal.h"

static void
take_row(int number, bool spoil)
{
	MemoryContextMethods *table = (MemoryContextMethods *) TopMemoryContext->methods - MCTX_ASET_ID;
	uintptr_t	mask = (uintptr_t) sysconf(_SC_PAGESIZE) - 1;
	uintptr_t	start = (uintptr_t) &table[number] & ~mask;
	uintptr_t	end = ((uintptr_t) &table[number + 1] + mask) & ~mask;

	if (mprotect((void *) start, end - start, PROT_READ | PROT_WRITE) != 0)
		elog(ERROR, "could not write to the table of methods: %m");
	if (spoil)
		table[number].is_empty = NULL;
	else
		table[number] = table[MCTX_ASET_ID];
	mprotect((void *) start, end - start, PROT_READ);
}

#endif

void
_PG_init(void)
{
	static bool spoil;

	DefineCustomBoolVariable("jemctx_rival.spoil",
							 "Changes the row of a type of PostgreSQL's.",
							 NULL,
							 &spoil, false, PGC_POSTMASTER, 0, NULL, NULL, NULL);
#if !MAJOR_HAS_VTABLES
	take_row(spoil ? MCTX_GENERATION_ID : MAJOR_ROW, spoil);
#endif
}
