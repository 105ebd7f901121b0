/*-------------------------------------------------------------------------
 *
 * faults.h
 *	  Failures on demand, for tests.
 *
 * A test counts down to a failure of a certain kind: the n-th time that the
 * program comes by it fails, or, at a step of a process's own, the process
 * kills itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_FAULTS_H
#define JEMCTX_FAULTS_H

#include "namespace/shared.h"

typedef enum Fault
{
	/* the keeper's extent hooks */
	FAULT_ALLOC,
	FAULT_DALLOC,
	FAULT_COMMIT,
	FAULT_DECOMMIT,
	FAULT_PURGE,
	FAULT_SPLIT,
	FAULT_MERGE,
	FAULT_REMOVE,				/* the kernel refuses to take pages back */

	/* death in the middle of something */
	FAULT_DIE_BEFORE_FILL,
	FAULT_DIE_IN_FILL,
	FAULT_DIE_AFTER_FILL,
	FAULT_DIE_IN_FLUSH,
	FAULT_DIE_AFTER_FLUSH,
	FAULT_DIE_WAITING,
	FAULT_DIE_KEEPER,
	FAULTS
} Fault;

/* Count down: 0 is never. */
static inline bool
fault_is_due(Fault fault)
{
	pg_atomic_uint32 *countdown = &control->faults[fault];

	return unlikely(pg_atomic_read_u32(countdown) > 0) &&
		pg_atomic_sub_fetch_u32(countdown, 1) == 0;
}

extern void fault_die(void) pg_attribute_noreturn();

#define FAULT_POINT(fault) \
	do { \
		if (fault_is_due(fault)) \
			fault_die(); \
	} while (0)

/* For a test module, which declares it itself. */
extern PGDLLEXPORT void jemctx_namespace_fault(int fault, uint32 countdown);

#endif							/* JEMCTX_FAULTS_H */
