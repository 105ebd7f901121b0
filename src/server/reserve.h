/*-------------------------------------------------------------------------
 *
 * reserve.h
 *	  What a session can do whatever the limits are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_RESERVE_H
#define JEMCTX_RESERVE_H

#include "postgres.h"

extern void reserve_enter(void);
extern Size reserve_least_limit(void);
extern bool reserve_is_ours(void);
extern bool reserve_admits(Size bytes);

#endif							/* JEMCTX_RESERVE_H */
