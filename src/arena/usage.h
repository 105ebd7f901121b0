/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  What jemalloc counts for this process at all times.
 *
 * Its statistics say the same and much more, but only after an epoch, which
 * takes as long as a short statement and leaves a process with its own copy of
 * the pages that hold them, some 110 kB for good.  Here one is begun only once
 * for an arena that a process has opened itself.
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
