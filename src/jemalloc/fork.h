/*-------------------------------------------------------------------------
 *
 * fork.h
 *	  Keep jemalloc's fork handlers from touching memory for nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_FORK_H
#define JEMCTX_FORK_H

#include "postgres.h"

extern bool fork_is_cheap(void);

#endif							/* JEMCTX_FORK_H */
