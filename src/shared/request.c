/*-------------------------------------------------------------------------
 *
 * request.c
 *	  What processes ask of the keeper.
 *
 * A process has one request at a time, in its place in an array, and waits
 * for it on its latch.  A bit for each process tells the keeper where to look.
 * Waiting ends at a timeout and can be interrupted; what the keeper has got
 * for somebody who is not waiting any more goes back.
 *
 * What takes longer the keeper does in steps: it does one, and has the process
 * ask again, so that others need not wait for more than that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/shmem.h"

#include "compat/clock.h"
#include "compat/compat.h"
#include "compat/shmem.h"
#include "shared/bell.h"
#include "shared/bits.h"
#include "shared/failpoint.h"
#include "shared/region.h"
#include "shared/request.h"
#include "shared/stock.h"

/* The keeper answers within microseconds; this is for when it cannot. */
#define ANSWER_MS 10000

/* For so long it may put off a refusal, as memory comes back. */
#define PATIENCE_MS 10000

/* How long a process waits that is to ask later. */
#define LATER_MS 1

/* While waiting, how often to look whether the keeper is there at all. */
#define LOOK_MS 100

static Request *requests;
static bool was_limited;		/* the last answer to this process */
static pg_atomic_uint64 *waiting;	/* a bit for each process */

static int
words(void)
{
	return WORDS_FOR(compat_proc_count());
}

static Size
size(void)
{
	return add_size(mul_size(compat_proc_count(), sizeof(Request)),
					mul_size(words(), sizeof(pg_atomic_uint64)));
}

static void
init(void)
{
	waiting = (pg_atomic_uint64 *) (requests + compat_proc_count());
	for (int i = 0; i < compat_proc_count(); i++)
	{
		memset(&requests[i], 0, sizeof(Request));
		pg_atomic_init_u32(&requests[i].state, REQUEST_FREE);
	}
	for (int i = 0; i < words(); i++)
		pg_atomic_init_u64(&waiting[i], 0);
}

/* In the postmaster, while it loads libraries. */
void
request_enter(void)
{
	shmem_add("jemctx namespace requests", (void **) &requests, size, init);
}

static Request *
own_request(void)
{
	return &requests[compat_proc_number()];
}

/* False if somebody else was faster. */
static bool
change_state(Request *request, RequestState from, RequestState to)
{
	uint32		expected = from;

	return pg_atomic_compare_exchange_u32(&request->state, &expected, to);
}

/* Give back what was got for somebody who does not want it any more. */
static void
undo(Request *request)
{
	if (request->kind == REQUEST_LARGE && request->object != NULL)
		stock_free_large(request->space, request->edition, region_page(request->object));
	request->object = NULL;
}

/*
 * In a process
 */

/* End the process's request, whatever has become of it.  Does not wait. */
static void
cancel(int code, Datum arg)
{
	Request    *request = own_request();

	if (change_state(request, REQUEST_WAITING, REQUEST_FREE) ||
		change_state(request, REQUEST_TAKEN, REQUEST_ABANDONED))
		return;
	if (change_state(request, REQUEST_DONE, REQUEST_FREE))
		undo(request);
}

static void
no_answer(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the keeper of namespaces does not answer"),
			 errdetail("It was given %d s.", ANSWER_MS / 1000)));
}

/*
 * Wait on the latch until the request is in a state, or raise an ERROR.  While
 * all of the machine stood still, a virtual one for instance, nobody waited.
 */
static void
wait_for(Request *request, RequestState state)
{
	int64		waited = 0;

	/* also when the keeper has been faster */
	FAILPOINT(DIE_WAITING);
	while (pg_atomic_read_u32(&request->state) != state)
	{
		int64		since = clock_ms();

		control_wait(LOOK_MS);
		if (pg_atomic_read_u32(&request->state) == state)
			return;
		control_require();
		waited += Min(clock_ms() - since, LOOK_MS);
		if (waited >= ANSWER_MS)
			no_answer();
	}
}

/* Let the keeper have the request. */
static void
submit(Request *request)
{
	uint32		process = compat_proc_number(); /* whoever asks has one */

	request->refused = request->again = request->later = request->limited = false;
	request->object = NULL;
	request->purged = 0;
	pg_write_barrier();
	pg_atomic_write_u32(&request->state, REQUEST_WAITING);
	pg_atomic_fetch_or_u64(&waiting[process / WORD_BITS], BIT_OF(process));
	bell_ring();
}

/*
 * Have the keeper do it, or a step of it, and wait.  The answer is in the
 * request, which is free then; as it is when the wait, or the process, ends.
 */
static void
ask_once(Request *request)
{
	PG_ENSURE_ERROR_CLEANUP(cancel, (Datum) 0);
	{
		submit(request);
		wait_for(request, REQUEST_DONE);
		pg_read_barrier();
		was_limited = request->limited;
		pg_atomic_write_u32(&request->state, REQUEST_FREE);
	}
	PG_END_ENSURE_ERROR_CLEANUP(cancel, (Datum) 0);
}

bool
request_was_limited(void)
{
	return was_limited;
}

/* Ask until it is done.  Returns what was purged meanwhile. */
static Size
ask(Request *request)
{
	int64		since = clock_ms();
	Size		purged = 0;

	request->repeats = 0;
	for (;;)
	{
		ask_once(request);
		purged += request->purged;
		if (!request->again || clock_ms() - since > PATIENCE_MS)
			return purged;
		if (request->later)
			control_wait(LATER_MS);
		request->repeats++;
	}
}

/*
 * The process's request, to be filled in.  What the statement is to fail for
 * anyhow does so now: the keeper may be done with it before we look.
 */
static Request *
begin(RequestKind kind, Namespace *space, uint64 edition)
{
	Request    *request = own_request();

	CHECK_FOR_INTERRUPTS();
	control_require();
	wait_for(request, REQUEST_FREE);
	request->kind = kind;
	request->space = space;
	request->edition = edition;
	return request;
}

/* Have slabs put into the namespace's stock. */
void
request_slabs(Namespace *space, uint64 edition, SlabKind kind, bool *refused)
{
	Request    *request = begin(REQUEST_SLABS, space, edition);

	request->slabs = kind;
	(void) ask(request);
	*refused = request->refused || request->again;
}

/* NULL if there is no memory.  clean: it is zero, and takes no memory yet. */
void *
request_large(Namespace *space, uint64 edition, Size size, bool *clean)
{
	Request    *request;

	if (size > region_size())
	{
		was_limited = true;
		return NULL;
	}
	request = begin(REQUEST_LARGE, space, edition);
	request->pages = (size + SIZES_PAGE - 1) / SIZES_PAGE;
	(void) ask(request);
	*clean = request->clean;
	return request->object;
}

/* False if the namespace is not the one any more, or, unless it is a drop, has other contents. */
bool
request_reset(Namespace *space, uint64 edition, bool drop)
{
	Request    *request = begin(drop ? REQUEST_DROP : REQUEST_RESET, space, edition);

	(void) ask(request);
	if (request->again)
		no_answer();
	return !request->refused;
}

/* Have all unused memory given to the kernel.  Returns how many bytes. */
Size
request_purge(void)
{
	return ask(begin(REQUEST_PURGE, NULL, 0));
}

/*
 * In the keeper
 */

/* The next process after one, -1 at first, with a request; -1 if there is none. */
int
request_next(int after)
{
	for (int word = (after + 1) / WORD_BITS; word < words(); word++)
	{
		uint64		bits = pg_atomic_read_u64(&waiting[word]);
		int			process;

		if (word == (after + 1) / WORD_BITS)
			bits &= BITS_FROM(after + 1);
		if (bits == 0)
			continue;
		process = word * WORD_BITS + pg_rightmost_one_pos64(bits);
		pg_atomic_fetch_and_u64(&waiting[word], ~BIT_OF(process));
		return process;
	}
	return -1;
}

/* NULL if the process does not want it any more. */
Request *
request_take(int process)
{
	Request    *request = &requests[process];

	return change_state(request, REQUEST_WAITING, REQUEST_TAKEN) ? request : NULL;
}

/* The process may look at the answer, if it still waits for one. */
void
request_finish(int process, Request *request)
{
	pg_write_barrier();
	if (!change_state(request, REQUEST_TAKEN, REQUEST_DONE))
	{
		undo(request);
		pg_atomic_write_u32(&request->state, REQUEST_FREE);
	}
	SetLatch(&GetPGProcByNumber(process)->procLatch);
}
