/*-------------------------------------------------------------------------
 *
 * overrun.h
 *	  What is granted beyond a limit, and what becomes of the statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_OVERRUN_H
#define JEMCTX_OVERRUN_H

#include "arena/leeway.h"

extern void overrun_enter(void);
extern void *overrun_grant(const Attempt *attempt);
extern void *overrun_lend(const Attempt *attempt);
extern void overrun_forget(void);

#endif							/* JEMCTX_OVERRUN_H */
