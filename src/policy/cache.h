/*-------------------------------------------------------------------------
 *
 * cache.h
 *	  The catalog caches of this process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CACHE_H
#define JEMCTX_CACHE_H

#include "postgres.h"

extern void cache_enter(void);
extern Size cache_size(void);
extern bool cache_is_too_large(void);
extern void cache_shed(void);

#endif							/* JEMCTX_CACHE_H */
