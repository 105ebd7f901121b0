/*-------------------------------------------------------------------------
 *
 * failpoint.h
 *	  Failures on demand, in checking builds.
 *
 * A test counts down to a failure of a certain kind: the n-th time that the
 * program comes by it fails, or, at a step of a process's own, the process
 * kills itself, or pauses between two steps for others to do something.  In
 * other builds there is nothing of this.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_FAILPOINT_H
#define JEMCTX_FAILPOINT_H

#include "shared/control.h"

#ifdef JEMCTX_CHECKING

/* A failure, and its name in tests. */
#define FAULT_LIST(X) \
	X(ALLOC, "alloc")			/* the keeper finds no pages */ \
	X(COMMIT, "commit")			/* it may not take more memory */ \
	X(REMOVE, "remove")			/* the kernel refuses to take pages back */ \
	/* death in the middle of something */ \
	X(DIE_BEFORE_FILL, "die_before_fill") \
	X(DIE_IN_FILL, "die_in_fill") \
	X(DIE_AFTER_FILL, "die_after_fill") \
	X(DIE_IN_FLUSH, "die_in_flush") \
	X(DIE_AFTER_FLUSH, "die_after_flush") \
	X(DIE_WAITING, "die_waiting") \
	X(DIE_KEEPER, "die_keeper") \
	X(TERM_IN_SETTLE, "term_in_settle") \
	/* until the test sets it to 0 */ \
	X(PAUSE_AFTER_LOOK_UP, "pause_after_look_up") \
	X(PAUSE_IN_CLEAR, "pause_in_clear")

#define FAULT_CONSTANT(constant, name) FAULT_##constant,
typedef enum Fault
{
	FAULT_LIST(FAULT_CONSTANT)
	FAULTS
} Fault;

/* In the place of a countdown: a process pauses there. */
#define FAULT_PAUSED PG_UINT32_MAX

/* Count down: 0 is never. */
static inline bool
fault_count_down(Fault fault)
{
	pg_atomic_uint32 *countdown = &control->faults[fault];
	uint32		left = pg_atomic_read_u32(countdown);

	return unlikely(left > 0) && left != FAULT_PAUSED &&
		pg_atomic_sub_fetch_u32(countdown, 1) == 0;
}

#define fault_is_due(name) fault_count_down(FAULT_##name)
#define FAULT_POINT(name) \
	do { \
		if (fault_is_due(name)) \
			fault_die(); \
	} while (0)

#define FAULT_PAUSE(name) \
	do { \
		if (fault_is_due(name)) \
			fault_pause(FAULT_##name); \
	} while (0)

extern void fault_init(void);
extern void fault_die(void) pg_attribute_noreturn();
extern void fault_pause(Fault fault);

#else
#define fault_is_due(name) false
#define FAULT_POINT(name) ((void) 0)
#define FAULT_PAUSE(name) ((void) 0)
#define fault_init() ((void) 0)
#endif

#endif							/* JEMCTX_FAILPOINT_H */
