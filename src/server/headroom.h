/*-------------------------------------------------------------------------
 *
 * headroom.h
 *	  How much this process may take before the machine has too little.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_HEADROOM_H
#define JEMCTX_HEADROOM_H

#include "postgres.h"

#include "server/machine.h"

extern void headroom_enter(void);
extern void headroom_look(MachineLook *look);
extern Size headroom_memory(void);
extern bool headroom_believes(Size bytes);
extern bool headroom_admits(Size bytes, Size kept);
extern Size headroom_left(Size kept);
extern bool headroom_is_promised(void);

#endif							/* JEMCTX_HEADROOM_H */
