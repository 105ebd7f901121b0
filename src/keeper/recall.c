/*-------------------------------------------------------------------------
 *
 * recall.c
 *	  Ask processes for what they keep of namespaces.
 *
 * They keep free objects in magazines, which is kept from others.  They are
 * asked when memory is short, and when they have not used what they keep for
 * a while.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat/clock.h"
#include "compat/compat.h"
#include "keeper/recall.h"
#include "shared/counts.h"

/* Ticks for which what a process keeps stands still before it is asked for. */
#define STILL_TICKS 5

/* When memory is short: how long magazines are waited for, and how often they are asked for. */
#define CALL_MS 200
#define CALL_AGAIN_MS 1000

/* When what processes keep was asked for, of each namespace and, last, of all. */
typedef struct Call
{
	bool		made;
	int64		made_at;		/* of clock_ms() */
} Call;

static Call calls[NAMESPACE_SLOTS + 1];

/* Objects that a process keeps, as a number that changes when they do; 0 if there are none. */
static uint32
sum_of(const Counts *counts)
{
	uint32		sum = 0;

	for (int class = 0; class < SIZES_COUNT; class++)
		sum = sum * 31 + counts->cached[class] + counts->draining[class];
	return sum;
}

/* Has the process, if there is one, objects of the namespace that is in the slot now? */
static bool
has_objects(int process, int slot)
{
	Counts	   *counts = counts_of(process, slot);

	return GetPGProcByNumber(process)->pid != 0 &&
		pg_atomic_read_u64(&counts->edition) == pg_atomic_read_u64(&control->slots[slot].edition) &&
		sum_of(counts) != 0;
}

/*
 * An idle backend is woken up for it, another process comes to the end of its
 * transaction or, if it has none, is woken up to call something.
 */
static void
ask_process(int process, int slot)
{
	PGPROC	   *proc = GetPGProcByNumber(process);

	if (pg_atomic_exchange_u32(&counts_of(process, slot)->flush_wanted, 1) != 0)
		return;
	compat_wake(proc);
}

/* For those of one namespace or, with NULL, of all. */
static bool
ask_processes(const Namespace *space)
{
	bool		asked = false;

	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (!control->slots[slot].in_use || (space != NULL && space->slot != slot))
			continue;
		for (int process = 0; process < compat_proc_count(); process++)
		{
			if (!has_objects(process, slot))
				continue;
			ask_process(process, slot);
			asked = true;
		}
	}
	return asked;
}

/*
 * There is no memory but for what processes keep, if they do: have them give
 * it back.  True if that may be worth waiting for.
 */
bool
recall_objects(const Namespace *space)
{
	Call	   *call = &calls[space ? space->slot : NAMESPACE_SLOTS];
	int64		now = clock_ms();

	if (call->made && now - call->made_at < CALL_MS)
		return true;
	if (call->made && now - call->made_at < CALL_AGAIN_MS)
		return false;
	call->made = ask_processes(space);
	call->made_at = now;
	return call->made;
}

/* Ask a process for what it keeps, if that stands still. */
static bool
tick_process(int process, int slot)
{
	Counts	   *counts = counts_of(process, slot);
	uint32		sum = has_objects(process, slot) ? sum_of(counts) : 0;

	if (sum == 0)
		return false;
	if (sum != pg_atomic_read_u32(&counts->sum))
	{
		pg_atomic_write_u32(&counts->sum, sum);
		return true;
	}
	ask_process(process, slot);
	return false;
}

/* Of one namespace; are there some that use what they keep? */
static bool
tick_processes(int slot)
{
	bool		busy = false;

	for (int process = 0; process < compat_proc_count(); process++)
		busy |= tick_process(process, slot);
	return busy;
}

/* The keeper's clock: ask processes that do not use what they keep.  Is there more to do soon? */
bool
recall_tick(void)
{
	static uint32 ticks;
	bool		busy = false;

	if (++ticks % STILL_TICKS != 0)
		return true;
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (control->slots[slot].in_use)
			busy |= tick_processes(slot);
	}
	return busy;
}
