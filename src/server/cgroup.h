/*-------------------------------------------------------------------------
 *
 * cgroup.h
 *	  What the control groups of this process may have, and have left.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CGROUP_H
#define JEMCTX_CGROUP_H

#include "postgres.h"

/* The least of each over this process's group and those above it; SIZE_MAX for no limit. */
typedef struct CgroupLook
{
	Size		limit;
	Size		available;		/* without swapping */
	Size		headroom;		/* until the kernel kills somebody */
} CgroupLook;

/* What says that a group is short of memory, whatever it has left. */
typedef struct CgroupSigns
{
	bool		above_high;		/* the kernel slows the group down, to take memory back */
	uint64		ooms;			/* times that there was nothing to take back */
	int			some;			/* per cent of the last 10 s in which some tasks waited */
	int			full;			/* and in which all did */
} CgroupSigns;

extern void cgroup_look(CgroupLook *look, Size swap_free);
extern void cgroup_signs(CgroupSigns *signs);

#endif							/* JEMCTX_CGROUP_H */
