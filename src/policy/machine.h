/*-------------------------------------------------------------------------
 *
 * machine.h
 *	  The memory of the machine, and what the kernel lets this server have.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MACHINE_H
#define JEMCTX_MACHINE_H

#include "postgres.h"

#define MACHINE_UNKNOWN UINT64_MAX

extern uint64 machine_memory(const char *field);
extern uint64 machine_cgroup_limit(void);

#endif							/* JEMCTX_MACHINE_H */
