/*-------------------------------------------------------------------------
 *
 * pressure.h
 *	  Is memory short, on the machine, in a control group, or below a limit?
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_PRESSURE_H
#define JEMCTX_PRESSURE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"

#include "compat/compat.h"

typedef enum Pressure
{
	PRESSURE_NONE,
	PRESSURE_SOME,				/* nothing is kept that is not in use */
	PRESSURE_HIGH				/* nor what can be had again: caches, stocks of namespaces */
} Pressure;

/* What has been counted since the server's start: how often it rose, and what was done then. */
typedef enum PressureCount
{
	PRESSURE_ROSE,				/* from none */
	PRESSURE_ROSE_HIGH,
	PRESSURE_PURGES,			/* processes returned what they did not use */
	PRESSURE_SHEDS,				/* idle backends dropped their catalog caches */
	PRESSURE_TRIMS,				/* stocks of namespaces shrank */
	PRESSURE_REFUSALS,			/* by the server's limit, at whatever pressure */
	PRESSURE_COUNTS
} PressureCount;

/* Everybody writes; what belongs together is written by whoever judges, one at a time. */
typedef struct PressureState
{
	pg_atomic_uint32 level;		/* a Pressure */
	pg_atomic_uint32 told;		/* the level that has been acted upon */
	pg_atomic_uint64 told_at;	/* when, by clock_ms() */
	pg_atomic_uint64 since;		/* when the level became what it is, a TimestampTz */
	pg_atomic_uint64 judged_at; /* by clock_ms() */
	pg_atomic_uint64 reached_at;	/* when it was last judged to be as high as the level */
	pg_atomic_uint64 ooms;
	pg_atomic_uint64 appealed_at;	/* by clock_ms() */
	pg_atomic_uint64 counts[PRESSURE_COUNTS];
} PressureState;

/* NULL until shared memory is there. */
extern PressureState *pressure;

/* What is to be done about it, outside of extent hooks; told is what was so far. */
typedef void (*PressureActor) (Pressure told, Pressure level);

extern void pressure_enter(void);
extern void pressure_set_actor(PressureActor actor);
extern bool pressure_judge(void);
extern void pressure_attend(void);
extern void pressure_count(PressureCount count);
extern void pressure_appeal(void);
extern bool pressure_is_appealed(void);

/*
 * Any process, any time; cheap.  The process that writes the log, which has no
 * PGPROC, has left shared memory.
 */
static inline Pressure
pressure_level(void)
{
	if (pressure == NULL || compat_proc_number() < 0)
		return PRESSURE_NONE;
	return (Pressure) pg_atomic_read_u32(&pressure->level);
}

#endif							/* JEMCTX_PRESSURE_H */
