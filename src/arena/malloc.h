/*-------------------------------------------------------------------------
 *
 * malloc.h
 *	  malloc, in front of jemalloc's, that does not give up at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MALLOC_H
#define JEMCTX_MALLOC_H

#include "postgres.h"

extern void *malloc_aligned(Size alignment, Size size, const void *caller);

#endif							/* JEMCTX_MALLOC_H */
