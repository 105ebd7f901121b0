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
#define FAILPOINT_LIST(X) \
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
	X(PAUSE_IN_CLEAR, "pause_in_clear") \
	X(PAUSE_BEFORE_ANSWER, "pause_before_answer") \
	X(PAUSE_IN_LOOK, "pause_in_look")

#define FAILPOINT_CONSTANT(constant, name) FAILPOINT_##constant,
typedef enum Failpoint
{
	FAILPOINT_LIST(FAILPOINT_CONSTANT)
	FAILPOINTS
} Failpoint;

/* In the place of a countdown: a process pauses there, or all that come by fail. */
#define FAILPOINT_PAUSED PG_UINT32_MAX
#define FAILPOINT_ALWAYS (PG_UINT32_MAX - 1)

/* Count down: 0 is never, and so is everything where there are no namespaces. */
static inline bool
failpoint_count_down(Failpoint failpoint)
{
	pg_atomic_uint32 *countdown;
	uint32		left;

	if (control == NULL)
		return false;
	countdown = &control->failpoints[failpoint];
	left = pg_atomic_read_u32(countdown);
	return unlikely(left > 0) && left != FAILPOINT_PAUSED &&
		(left == FAILPOINT_ALWAYS || pg_atomic_sub_fetch_u32(countdown, 1) == 0);
}

#define failpoint_is_due(name) failpoint_count_down(FAILPOINT_##name)
#define FAILPOINT(name) \
	do { \
		if (failpoint_is_due(name)) \
			failpoint_die(); \
	} while (0)

#define FAILPOINT_PAUSE(name) \
	do { \
		if (failpoint_is_due(name)) \
			failpoint_pause(FAILPOINT_##name); \
	} while (0)

extern void failpoint_init(void);
extern _Noreturn void failpoint_die(void);
extern void failpoint_pause(Failpoint failpoint);

#else
#define failpoint_is_due(name) false
#define FAILPOINT(name) ((void) 0)
#define FAILPOINT_PAUSE(name) ((void) 0)
#define failpoint_init() ((void) 0)
#endif

#endif							/* JEMCTX_FAILPOINT_H */
