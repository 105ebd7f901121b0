/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  What jemalloc counts for this process at all times.
 *
 * Its statistics say the same and much more, but only after an epoch, which
 * costs half a microsecond or more, and every process that begins one some
 * 130 kB for good: its own copy of the pages that hold them.  Here one is
 * begun only once for an arena that a process has opened itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_USAGE_H
#define JEMCTX_USAGE_H

#include "postgres.h"

extern void usage_enter(void);
extern Size usage_allocated(void);
extern Size usage_active(void);

#endif							/* JEMCTX_USAGE_H */
