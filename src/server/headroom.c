/*-------------------------------------------------------------------------
 *
 * headroom.c
 *	  How much this process may take before the machine has too little.
 *
 * What was granted a moment ago and is not touched yet, the kernel still calls
 * available.  So each process says how much that is: what it was granted in
 * the last seconds is promised to it.  Later it is not, although a part may
 * never have been touched: nobody is refused memory for the sake of pages that
 * perhaps nobody needs.  Whoever decides adds up what is promised, and when
 * that is too much, subtracts what has been touched meanwhile, as the kernel
 * has it.
 *
 * One look at the machine is for all processes, and is believed for a while.
 * Near the end everyone looks for himself.  What a look has shown to be
 * plenty, a process may take a part of without another one.
 *
 * Called from extent hooks: raises no errors, allocates nothing, takes no
 * locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "storage/shmem.h"

#include "compat/clock.h"
#include "compat/compat.h"
#include "compat/shmem.h"
#include "server/account.h"
#include "server/headroom.h"
#include "shared/control.h"
#include "shared/region.h"

/* For how long a look is believed; and near the end. */
#define BELIEVED_MS 100
#define BELIEVED_NEAR_MS 2

/* Granted without another look at most, if all processes together leave half of what there is. */
#define ALLOWANCE_MOST ((Size) 16 * 1024 * 1024)

/* What was granted is promised for so long, or up to twice as long while more is. */
#define PROMISE_MS INT64CONST(1000)

/* Below this the kernel is not asked how much of a promise is kept. */
#define WORTH_ASKING ((Size) 256 * 1024)

/* The process with the PGPROC of the same number writes. */
typedef struct Promise
{
	pg_atomic_uint64 bytes;
	pg_atomic_uint64 until;		/* by clock_ms() */
} Promise;

/* Everybody writes, and each figure means something by itself. */
typedef struct Headroom
{
	pg_atomic_uint64 looked_at; /* by clock_ms() */
	pg_atomic_uint64 bytes;		/* what there was then, SIZE_MAX if nobody knows */
	pg_atomic_uint64 memory;	/* the machine's or a control group's, or SIZE_MAX */
	Promise		promises[FLEXIBLE_ARRAY_MEMBER];
} Headroom;

static Headroom *headroom;

/* So much may be granted without a look, for some time from that one on. */
static Size allowance;
static int64 allowed_at;

/* What was granted in this period, and in the one before. */
static Size current;
static Size previous;
static int64 period_start;

/* Was the last refusal for the sake of promises only? */
static bool is_promised;

static Size
size(void)
{
	return add_size(offsetof(Headroom, promises), mul_size(compat_proc_count(), sizeof(Promise)));
}

static void
init(void)
{
	MachineLook look;

	pg_atomic_init_u64(&headroom->looked_at, 0);
	pg_atomic_init_u64(&headroom->bytes, 0);
	pg_atomic_init_u64(&headroom->memory, 0);
	for (int i = 0; i < compat_proc_count(); i++)
	{
		pg_atomic_init_u64(&headroom->promises[i].bytes, 0);
		pg_atomic_init_u64(&headroom->promises[i].until, 0);
	}
	headroom_look(&look);
}

/* In the postmaster. */
void
headroom_enter(void)
{
	shmem_add("jemctx headroom", (void **) &headroom, size, init);
}

/*
 * Look at the machine, for all processes.  What namespaces have not touched is
 * not there; what of shared_buffers has not been touched is: a stock server
 * starts without it, too.  A look is as old as its beginning: whoever has to
 * wait for a processor in the middle of it does not pass old figures off as new.
 */
void
headroom_look(MachineLook *look)
{
	int64		now = clock_ms();
	Size		untouched = region_untouched(control_committed());

	machine_look(look);
	if (look->headroom != SIZE_MAX)
		look->headroom -= Min(look->headroom, untouched);
	if (headroom == NULL || (int64) pg_atomic_read_u64(&headroom->looked_at) > now)
		return;
	pg_atomic_write_u64(&headroom->bytes, look->headroom);
	pg_atomic_write_u64(&headroom->memory, machine_memory(look));
	pg_write_barrier();
	pg_atomic_write_u64(&headroom->looked_at, now);
}

/* What the last look has found that there is for all, in bytes, or SIZE_MAX. */
Size
headroom_memory(void)
{
	MachineLook look;

	if (headroom != NULL)
		return pg_atomic_read_u64(&headroom->memory);
	machine_look(&look);
	return machine_memory(&look);
}

/* What there is, by a look that is not older than that. */
static Size
bytes_at_last_look(int64 now, int64 believed_ms)
{
	MachineLook look;

	if (now - (int64) pg_atomic_read_u64(&headroom->looked_at) > believed_ms)
		headroom_look(&look);
	return pg_atomic_read_u64(&headroom->bytes);
}

/* What a process has committed and not touched. */
static Size
untouched(const Account *account, int pid)
{
	Size		committed = pg_atomic_read_u64(&((Account *) account)->committed);
	Size		touched = machine_private_of(pid);

	return committed > touched ? committed - touched : 0;
}

/* What is promised to the process with that PGPROC, and what it is about to commit. */
static Size
promised_to(int number, int64 now, bool exactly)
{
	Promise    *promise = &headroom->promises[number];
	Size		bytes = pg_atomic_read_u64(&promise->bytes);
	int			pid;
	Account    *account = account_of(number, &pid);

	if (account == NULL)
		return 0;
	if (now >= (int64) pg_atomic_read_u64(&promise->until))
		bytes = 0;
	if (exactly && bytes >= WORTH_ASKING)
		bytes = Min(bytes, untouched(account, pid));
	return bytes + pg_atomic_read_u64(&account->claimed);
}

/* To all processes, but for what this one has claimed for what it asks. */
static Size
promised(int64 now, Size bytes, bool exactly)
{
	Size		total = 0;

	for (int number = 0; number < compat_proc_count(); number++)
		total += promised_to(number, now, exactly);
	return total > bytes ? total - bytes : 0;
}

static Size
difference(Size more, Size less)
{
	return more > less ? more - less : 0;
}

/* The process is granted bytes. */
static void
promise(Size bytes, int64 now)
{
	int			number = compat_proc_number();

	if (now - period_start >= PROMISE_MS)
	{
		previous = now - period_start < 2 * PROMISE_MS ? current : 0;
		current = 0;
		period_start = now;
	}
	current += bytes;
	if (number < 0 || number >= compat_proc_count() || account_is_librarys())
		return;
	pg_atomic_write_u64(&headroom->promises[number].bytes, previous + current);
	pg_atomic_write_u64(&headroom->promises[number].until, now + PROMISE_MS);
}

/* May the process have so many bytes more without a look?  It is granted them then. */
bool
headroom_believes(Size bytes)
{
	int64		now;

	if (headroom == NULL)
		return true;
	if (bytes > allowance || (now = clock_ms()) - allowed_at > BELIEVED_MS)
		return false;
	allowance -= bytes;
	promise(bytes, now);
	return true;
}

/*
 * May it have them, with so much kept for others?  It is granted them then.  It
 * has claimed them: see account_claim().
 */
bool
headroom_admits(Size bytes, Size kept)
{
	int64		now = clock_ms();
	Size		left = difference(bytes_at_last_look(now, BELIEVED_MS), kept);
	Size		spare = difference(left, promised(now, bytes, false));

	is_promised = false;
	if (spare < bytes)
	{
		left = difference(bytes_at_last_look(now, BELIEVED_NEAR_MS), kept);
		spare = difference(left, promised(now, bytes, true));
	}
	allowance = 0;
	if (spare < bytes)
	{
		is_promised = left >= bytes;
		return false;
	}
	promise(bytes, now);
	allowance = Min(ALLOWANCE_MOST, (spare - bytes) / ((Size) 2 * compat_proc_count()));
	allowed_at = now;
	return true;
}

/* What there is beyond what is kept for others, promised or not; SIZE_MAX if nobody knows. */
Size
headroom_left(Size kept)
{
	Size		bytes;

	if (headroom == NULL)
		return SIZE_MAX;
	bytes = bytes_at_last_look(clock_ms(), BELIEVED_NEAR_MS);
	return bytes == SIZE_MAX ? SIZE_MAX : difference(bytes, kept);
}

/* Would the last refusal not have been one, if nothing were promised? */
bool
headroom_is_promised(void)
{
	return is_promised;
}
