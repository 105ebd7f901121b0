/*-------------------------------------------------------------------------
 *
 * hugepages.h
 *	  What of the arenas' memory is in transparent huge pages.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_HUGEPAGES_H
#define JEMCTX_HUGEPAGES_H

#include "postgres.h"

extern void hugepages_enter(void);
extern void hugepages_mapped(void *pages, Size size);
extern void hugepages_committed(void *pages, Size size);
extern void hugepages_decommitting(void *pages, Size size);
extern void hugepages_decommitted(void *pages, Size size);

#endif							/* JEMCTX_HUGEPAGES_H */
