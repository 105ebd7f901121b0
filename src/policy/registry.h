/*-------------------------------------------------------------------------
 *
 * registry.h
 *	  What the processes of the server tell each other about their memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REGISTRY_H
#define JEMCTX_REGISTRY_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"

/* What a process is doing, as far as a purge is concerned. */
typedef enum RegistryState
{
	REGISTRY_BUSY,				/* it will purge when its statement is over */
	REGISTRY_IDLE				/* its client had an answer: an interrupt tells the rest */
} RegistryState;

/* What a process publishes, all of it at one moment. */
typedef struct RegistryFigures
{
	uint64		allocated;
	uint64		active;
	uint64		cache;
	uint64		limit;
	TimestampTz published_at;	/* 0 if it never has */
} RegistryFigures;

/*
 * The entry of one process.  It means something while pid is that of the
 * process that has the PGPROC of the same number.  Everything is written by
 * that process only and read by everybody without a lock, except sheds and
 * requests, which everybody sets and increments, and then reads the state.  A
 * process reads requests and state with every statement, so entries do not
 * share cache lines.
 */
typedef struct RegistryEntry
{
	pg_attribute_aligned(PG_CACHE_LINE_SIZE) pg_atomic_uint32 pid;
	pg_atomic_uint32 state;		/* a RegistryState */

	/* changed is odd while the figures are being changed */
	pg_atomic_uint32 changed;
	RegistryFigures figures;

	/* bytes of free pages as the last statement ended, and when that one had begun */
	pg_atomic_uint64 kept;
	pg_atomic_uint64 idle_from;

	pg_atomic_uint64 purges;
	pg_atomic_uint64 purged;	/* bytes given back by all of them */

	/* does a request that has not been answered want catalog caches dropped as well? */
	pg_atomic_uint32 sheds;

	/* purges asked for by others, and answered with the bytes given back */
	pg_atomic_uint32 requests;
	pg_atomic_uint32 answers;
	pg_atomic_uint64 answer;
	ConditionVariable answered;
} RegistryEntry;

extern void registry_enter(void);
extern RegistryEntry *registry_own(void);
extern RegistryEntry *registry_of(int number, int *pid);
extern bool registry_read(RegistryEntry *entry, RegistryFigures *figures);
extern void registry_publish(void);
extern bool registry_is_due(RegistryEntry *entry, int64 now);
extern bool registry_publish_sometimes(void);
extern Size registry_tell_kept(RegistryEntry *entry);
extern Size registry_keeps(RegistryEntry *entry);
extern Size registry_kept(Size least, int *holders);
extern void registry_tell_idle(RegistryEntry *entry, TimestampTz statement);
extern void registry_tell_busy(RegistryEntry *entry);
extern uint32 registry_request(RegistryEntry *entry, bool shed);
extern bool registry_take_shed(RegistryEntry *entry);
extern void registry_answer(RegistryEntry *entry, uint32 requests, Size given);

/* Has another process asked for a purge? */
static inline bool
registry_is_requested(RegistryEntry *entry)
{
	return pg_atomic_read_u32(&entry->requests) != pg_atomic_read_u32(&entry->answers);
}

/* And has it asked for as much as that? */
static inline bool
registry_is_requested_to(RegistryEntry *entry, bool shed)
{
	return registry_is_requested(entry) && (!shed || pg_atomic_read_u32(&entry->sheds) != 0);
}

#endif							/* JEMCTX_REGISTRY_H */
