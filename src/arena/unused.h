/*-------------------------------------------------------------------------
 *
 * unused.h
 *	  Memory that this process holds and does not use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_UNUSED_H
#define JEMCTX_UNUSED_H

#include "postgres.h"

extern void unused_add_cache(void (*flush) (void));
extern void unused_purge_pages(void);
extern Size unused_purge(void);

#endif							/* JEMCTX_UNUSED_H */
