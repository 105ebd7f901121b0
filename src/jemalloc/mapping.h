/*-------------------------------------------------------------------------
 *
 * mapping.h
 *	  What jemalloc maps for its own data.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MAPPING_H
#define JEMCTX_MAPPING_H

#include "postgres.h"

extern void mapping_advise(uintptr_t code_start, uintptr_t code_end);
extern void mapping_settle(void);

#endif							/* JEMCTX_MAPPING_H */
