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

extern Size machine_total(void);
extern Size machine_available(void);
extern Size machine_cgroup_limit(void);
extern bool machine_may_take(Size bytes, Size promised);

#endif							/* JEMCTX_MACHINE_H */
