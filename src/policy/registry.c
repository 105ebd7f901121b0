/*-------------------------------------------------------------------------
 *
 * registry.c
 *	  What the processes of the server tell each other about their memory.
 *
 * There is an entry in shared memory for each PGPROC, so every process that
 * has one finds its own without a search and without a lock, and there can
 * not be more processes than entries.  Nobody cleans up: an entry whose
 * process has ended is told by its pid, and the next process with that PGPROC
 * begins it anew.  After a crash shared memory is new altogether.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "arena/hooks.h"
#include "arena/limit.h"
#include "arena/usage.h"
#include "compat/clock.h"
#include "compat/compat.h"
#include "compat/shmem.h"
#include "context/slab.h"
#include "policy/cache.h"
#include "policy/registry.h"
#include "server/account.h"

/* How often a busy process publishes, in milliseconds. */
#define PUBLISH_INTERVAL 1000

/* When this process last did. */
static int64 published_ms;

/* NULL until shared memory is there, as in a standalone backend's start. */
static RegistryEntry *entries;

static Size
entries_size(void)
{
	return mul_size(compat_proc_count(), sizeof(RegistryEntry));
}

static void
init_entry(RegistryEntry *entry)
{
	pg_atomic_init_u32(&entry->pid, 0);
	pg_atomic_init_u32(&entry->state, REGISTRY_BUSY);
	pg_atomic_init_u32(&entry->changed, 0);
	memset(&entry->figures, 0, sizeof(entry->figures));
	pg_atomic_init_u64(&entry->kept, 0);
	pg_atomic_init_u64(&entry->idle_from, 0);
	pg_atomic_init_u64(&entry->purges, 0);
	pg_atomic_init_u64(&entry->purged, 0);
	pg_atomic_init_u32(&entry->sheds, 0);
	pg_atomic_init_u32(&entry->requests, 0);
	pg_atomic_init_u32(&entry->answers, 0);
	pg_atomic_init_u64(&entry->answer, 0);
	ConditionVariableInit(&entry->answered);
}

static void
init_entries(void)
{
	for (int i = 0; i < compat_proc_count(); i++)
		init_entry(&entries[i]);
}

/* In the postmaster. */
void
registry_enter(void)
{
	shmem_add("jemctx registry", (void **) &entries, entries_size, init_entries);
}

/* While they are being written, changed is odd, so that readers try again. */
static void
write_figures(RegistryEntry *entry, const RegistryFigures *figures)
{
	pg_atomic_fetch_add_u32(&entry->changed, 1);
	entry->figures = *figures;
	pg_atomic_fetch_add_u32(&entry->changed, 1);
}

/* A process takes over the entry of one that has ended; its requests go on. */
static void
begin_entry(RegistryEntry *entry)
{
	RegistryFigures none = {0};

	pg_atomic_write_u32(&entry->state, REGISTRY_BUSY);
	write_figures(entry, &none);
	pg_atomic_write_u64(&entry->kept, 0);
	pg_atomic_write_u64(&entry->purges, 0);
	pg_atomic_write_u64(&entry->purged, 0);
	pg_atomic_write_u32(&entry->sheds, 0);
	pg_atomic_write_u32(&entry->answers, pg_atomic_read_u32(&entry->requests));
	pg_write_barrier();
	pg_atomic_write_u32(&entry->pid, MyProcPid);
}

/* The entry of this process, or NULL while it has no PGPROC. */
RegistryEntry *
registry_own(void)
{
	int			number = compat_proc_number();
	RegistryEntry *entry;

	if (number < 0 || entries == NULL || number >= compat_proc_count())
		return NULL;
	entry = &entries[number];
	if (unlikely(pg_atomic_read_u32(&entry->pid) != (uint32) MyProcPid))
		begin_entry(entry);
	return entry;
}

/*
 * The entry of the process that has the PGPROC of that number now, and its
 * pid; NULL when there is none (pid is 0 then), or it has told nothing yet.
 */
RegistryEntry *
registry_of(int number, int *pid)
{
	RegistryEntry *entry = &entries[number];

	*pid = compat_proc_pid(number);
	if (*pid == 0 || pg_atomic_read_u32(&entry->pid) != (uint32) *pid)
		return NULL;
	pg_read_barrier();
	return entry;
}

/* What a process has published, all of one moment; false if it has not yet. */
bool
registry_read(RegistryEntry *entry, RegistryFigures *figures)
{
	uint32		before;

	for (;;)
	{
		before = pg_atomic_read_u32(&entry->changed);
		pg_read_barrier();
		*figures = entry->figures;
		pg_read_barrier();
		if (before % 2 == 0 && before == pg_atomic_read_u32(&entry->changed))
			return figures->published_at != 0;
		CHECK_FOR_INTERRUPTS();
	}
}

/* Tell how much of what this process holds it keeps for what it needs next; returns it. */
Size
registry_tell_kept(RegistryEntry *entry)
{
	Size		kept = hooks_kept() + slab_kept();

	pg_atomic_write_u64(&entry->kept, kept);
	return kept;
}

/* Tell what cannot be told by the extent hooks. */
void
registry_publish(void)
{
	RegistryEntry *entry = registry_own();
	RegistryFigures figures;

	if (entry == NULL)
		return;
	registry_tell_kept(entry);
	figures.allocated = usage_allocated();
	figures.active = usage_active();
	figures.cache = cache_size();
	figures.limit = limit_of_process();
	figures.published_at = GetCurrentTimestamp();
	write_figures(entry, &figures);
	published_ms = clock_ms();
}

/*
 * Does a busy process publish at the end of a statement, by clock_ms()?  Not
 * always: measuring the caches takes as long as a short statement.  A limit that
 * was set is told at once, since there may be no other statement.
 */
bool
registry_is_due(RegistryEntry *entry, int64 now)
{
	return now - published_ms >= PUBLISH_INTERVAL || entry->figures.limit != limit_of_process();
}

/* Publish then.  Returns whether it was done. */
bool
registry_publish_sometimes(void)
{
	RegistryEntry *entry = registry_own();

	if (entry == NULL || !registry_is_due(entry, clock_ms()))
		return false;
	registry_publish();
	return true;
}

/*
 * Bytes of free pages that a process keeps, as it has told, and that it has not
 * been asked to return.  One that has just answered has told before how much
 * less it is.
 */
Size
registry_keeps(RegistryEntry *entry)
{
	if (registry_is_requested(entry))
		return 0;
	pg_read_barrier();
	return pg_atomic_read_u64(&entry->kept);
}

/*
 * Bytes of free pages that processes keep which keep more than least, as they
 * have told, and how many these are; but for those that are to return it.
 */
Size
registry_kept(Size least, int *holders)
{
	Size		sum = 0;

	*holders = 0;
	for (int number = 0; number < compat_proc_count(); number++)
	{
		int			pid;
		RegistryEntry *entry = registry_of(number, &pid);
		Size		kept = entry != NULL ? registry_keeps(entry) : 0;

		if (kept <= least)
			continue;
		sum += kept;
		(*holders)++;
	}
	return sum;
}

/*
 * Others are told that the process is idle when it has answered its client,
 * and are not told when it begins another statement: that would be an atomic
 * operation, twice, in each statement.  Whoever asks for a purge counts the
 * request, reads the state, and interrupts a process that is said to be idle;
 * in the interrupt it purges or tells that it is not.  If the state was busy,
 * then we write it and read the count afterwards, at the end of the statement:
 * either they have seen the new state, or we see the request.
 */
void
registry_tell_idle(RegistryEntry *entry, TimestampTz statement)
{
	pg_atomic_write_u64(&entry->idle_from, statement);
	if (unlikely(pg_atomic_read_u32(&entry->state) != REGISTRY_IDLE))
		pg_atomic_exchange_u32(&entry->state, REGISTRY_IDLE);
}

/* Whoever waits for an answer need not go on. */
void
registry_tell_busy(RegistryEntry *entry)
{
	pg_atomic_exchange_u32(&entry->state, REGISTRY_BUSY);
	ConditionVariableBroadcast(&entry->answered);
}

/*
 * Ask the process for a purge, and perhaps to drop its catalog caches before
 * it.  Returns the number of the request.
 */
uint32
registry_request(RegistryEntry *entry, bool shed)
{
	if (shed)
		pg_atomic_write_u32(&entry->sheds, 1);
	return pg_atomic_add_fetch_u32(&entry->requests, 1);
}

/* Is this process asked to drop its caches?  Whoever is told so does it, or cannot. */
bool
registry_take_shed(RegistryEntry *entry)
{
	return pg_atomic_read_u32(&entry->sheds) != 0 && pg_atomic_exchange_u32(&entry->sheds, 0) != 0;
}

/*
 * Answer whoever has asked for a purge up to that request, of so many bytes.
 * One who meanwhile wants the caches dropped is not content with it: the
 * interrupt that he has sent, or the end of the statement, is for him.
 */
void
registry_answer(RegistryEntry *entry, uint32 requests, Size given)
{
	if (requests == pg_atomic_read_u32(&entry->answers) ||
		pg_atomic_read_u32(&entry->sheds) != 0)
		return;
	pg_atomic_write_u64(&entry->answer, given);
	/* whoever sees the answer sees what was told before it */
	pg_write_barrier();
	pg_atomic_write_u32(&entry->answers, requests);
	ConditionVariableBroadcast(&entry->answered);
}
