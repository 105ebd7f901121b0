/*-------------------------------------------------------------------------
 *
 * overrun.h
 *	  What is granted beyond a limit, and what becomes of the statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_OVERRUN_H
#define JEMCTX_OVERRUN_H

#include "arena/arena.h"

extern void overrun_enter(void);
extern bool overrun_admits(Size excess);
extern bool overrun_admits_for_all(Size held, Size bytes);
extern void overrun_room_for_all(void);
extern void *overrun_grant(const Attempt *attempt);
extern void *overrun_lend(const Attempt *attempt);
extern void overrun_forget(void);

#endif							/* JEMCTX_OVERRUN_H */
