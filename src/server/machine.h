/*-------------------------------------------------------------------------
 *
 * machine.h
 *	  How much memory the machine, or the container, has, and has left.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MACHINE_H
#define JEMCTX_MACHINE_H

#include "postgres.h"

/* Bytes, all of one moment; SIZE_MAX where the kernel does not say, or sets no limit. */
typedef struct MachineLook
{
	Size		total;			/* the machine's memory */
	Size		machine_available;	/* what of it the kernel could give without swapping */
	Size		cgroup_limit;	/* the least of our control groups' limits */
	Size		available;		/* what is left in all of them, without swapping */
	Size		headroom;		/* and until the kernel has to kill somebody */
} MachineLook;

/* What says that it is short of memory, whatever it has left. */
typedef struct MachineSigns
{
	bool		stalls;			/* tasks wait for memory */
	bool		starves;		/* and do hardly anything else */
	uint64		ooms;			/* how often it had not, so far */
} MachineSigns;

extern void machine_look(MachineLook *look);
extern void machine_signs(MachineSigns *signs, const MachineLook *look, uint64 ooms_before);
extern Size machine_private_of(int pid);

/* What there is for all: the machine's memory, or a control group's limit if that is less. */
static inline Size
machine_memory(const MachineLook *look)
{
	return Min(look->total, look->cgroup_limit);
}

#endif							/* JEMCTX_MACHINE_H */
