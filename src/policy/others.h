/*-------------------------------------------------------------------------
 *
 * others.h
 *	  Purge other processes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_OTHERS_H
#define JEMCTX_OTHERS_H

#include "postgres.h"

extern bool others_purge(int pid, Size *given);
extern Size others_purge_all(void);
extern void others_ask_all(bool shed);
extern void others_interrupt_idle(void);
extern void others_enter(void);
extern Size others_ask_longest_idle(Size bytes, Size least);

#endif							/* JEMCTX_OTHERS_H */
