/*-------------------------------------------------------------------------
 *
 * machine.h
 *	  How much memory the machine, or the container, has left.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MACHINE_H
#define JEMCTX_MACHINE_H

#include "postgres.h"

extern bool machine_may_take(Size bytes);
extern Size machine_headroom(void);

#endif							/* JEMCTX_MACHINE_H */
