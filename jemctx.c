/*-------------------------------------------------------------------------
 *
 * jemctx.c
 *	  PostgreSQL's memory on jemalloc arenas: entry point.
 *
 * src/README.md is the map of the rooms entered here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "arena/enter.h"
#include "compat/compat.h"
#include "compat/interrupt.h"
#include "context/enter.h"
#include "jemalloc/enter.h"
#include "namespace/enter.h"
#include "policy/enter.h"
#include "server/enter.h"

COMPAT_MODULE_MAGIC("jemctx", "1.1");

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	jemalloc_enter();
	interrupt_enter();
	server_enter();
	arena_enter();
	context_enter();
	namespace_enter();
	policy_enter();
	MarkGUCPrefixReserved("jemctx");
}
