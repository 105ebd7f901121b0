/*-------------------------------------------------------------------------
 *
 * account.c
 *	  How much memory this process holds, for itself and for others to see.
 *
 * The extent hooks report every change.  No code of ours runs at the start or
 * the end of each kind of process, so a process keeps its account in its own
 * memory and copies it, at every change, to the place in shared memory that
 * belongs to its PGPROC, for as long as it has one.  The postmaster has a place
 * of its own, and the process that writes the log never has one.
 *
 * Called from extent hooks: nothing in here may raise errors, allocate, or
 * take locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <pthread.h>

#include "miscadmin.h"
#include "storage/shmem.h"

#include "compat/compat.h"
#include "compat/shmem.h"
#include "server/account.h"
#include "shared/control.h"

/*
 * What a process is taken to have written of what it inherited: as much as it has had beside
 * that above what it takes to connect, up to so many bytes.  docs/measurements.md has what it
 * is ("What counts for a process").
 */
#define TO_CONNECT ((uint64) 1024 * 1024)
#define WRITTEN_MOST ((uint64) 1024 * 1024)

/* In shared memory, one for each PGPROC, and the postmaster's; NULL while there is none. */
static Account *slots;

/* Any thread that allocates may change these. */
static Account own;

/* Bytes that the postmaster had committed at the fork; 0 in the postmaster. */
static Size at_fork;

/* It has no PGPROC, only its parent's memory. */
static bool is_librarys;

/* Set in the postmaster only. */
static bool is_postmaster;

/* PostgreSQL forks in the postmaster only, which has no PGPROC, either. */
static void
in_child(void)
{
	is_librarys = MyProc != NULL;
	is_postmaster = false;
}

static Size
slots_size(void)
{
	return mul_size(compat_proc_count() + 1, sizeof(Account));
}

static void
init(Account *account, int pid)
{
	pg_atomic_init_u32(&account->pid, pid);
	pg_atomic_init_u64(&account->committed, 0);
	pg_atomic_init_u64(&account->peak, 0);
	pg_atomic_init_u64(&account->inherited, 0);
	pg_atomic_init_u64(&account->most_own, 0);
	pg_atomic_init_u64(&account->refused, 0);
	pg_atomic_init_u64(&account->claimed, 0);
}

/* The first time in a child: all there is was the parent's. */
static void
inherit_once(void)
{
	uint64		committed = pg_atomic_read_u64(&own.committed);

	if (likely(pg_atomic_read_u32(&own.pid) == (uint32) MyProcPid))
		return;
	at_fork = committed;
	pg_atomic_write_u64(&own.inherited, committed);
	pg_atomic_write_u64(&own.most_own, 0);
	pg_atomic_write_u64(&own.peak, committed);
	pg_atomic_write_u64(&own.refused, 0);
	pg_atomic_write_u32(&own.pid, MyProcPid);
}

/* Copy a figure that other threads may be changing: whoever comes last copies the last value. */
static void
copy_newest(pg_atomic_uint64 *to, pg_atomic_uint64 *from)
{
	uint64		value;

	do
	{
		value = pg_atomic_read_u64(from);
		pg_atomic_write_u64(to, value);
		pg_memory_barrier();
	} while (pg_atomic_read_u64(from) != value);
}

static Account *
postmasters_slot(void)
{
	return &slots[compat_proc_count()];
}

/* Where others see the account of this process, or NULL. */
static Account *
own_slot(void)
{
	int			number = compat_proc_number();

	if (slots == NULL || is_librarys)
		return NULL;
	if (is_postmaster)
		return postmasters_slot();
	return number >= 0 && number < compat_proc_count() ? &slots[number] : NULL;
}

/* Copy the account to where others see it.  The pid goes last: it makes it valid. */
static void
publish(void)
{
	Account    *slot = own_slot();

	if (slot == NULL)
		return;
	copy_newest(&slot->committed, &own.committed);
	copy_newest(&slot->peak, &own.peak);
	copy_newest(&slot->inherited, &own.inherited);
	copy_newest(&slot->most_own, &own.most_own);
	if (likely(pg_atomic_read_u32(&slot->pid) == (uint32) MyProcPid))
		return;
	pg_atomic_write_u64(&slot->refused, pg_atomic_read_u64(&own.refused));
	pg_atomic_write_u64(&slot->claimed, 0);
	pg_write_barrier();
	pg_atomic_write_u32(&slot->pid, MyProcPid);
}

static void
init_slots(void)
{
	for (int i = 0; i <= compat_proc_count(); i++)
		init(&slots[i], 0);
	publish();
}

/* In the postmaster, before anything is reported. */
void
account_enter(void)
{
	pthread_atfork(NULL, NULL, in_child);
	is_postmaster = IsPostmasterEnvironment;
	init(&own, MyProcPid);
	shmem_add("jemctx accounts", (void **) &slots, slots_size, init_slots);
}

/* Raise a figure, or lower it, to a value; other threads may be doing the same. */
static void
raise_to(pg_atomic_uint64 *figure, uint64 value)
{
	uint64		before = pg_atomic_read_u64(figure);

	while (before < value && !pg_atomic_compare_exchange_u64(figure, &before, value))
		;
}

static void
lower_to(pg_atomic_uint64 *figure, uint64 value)
{
	uint64		before = pg_atomic_read_u64(figure);

	while (before > value && !pg_atomic_compare_exchange_u64(figure, &before, value))
		;
}

/*
 * The process has committed so many bytes, or fewer than none.  What it gives back is what
 * it inherited when it has nothing else any more.
 */
void
account_change(int64 bytes)
{
	uint64		committed;

	inherit_once();
	committed = pg_atomic_add_fetch_u64(&own.committed, bytes);
	raise_to(&own.peak, committed);
	lower_to(&own.inherited, committed);
	raise_to(&own.most_own, committed - Min(account_still_inherited(), committed));
	publish();
}

/* No more than so many bytes are left of what it inherited. */
void
account_limit_inherited(Size most)
{
	inherit_once();
	lower_to(&own.inherited, most);
	publish();
}

/* The process was denied an allocation. */
void
account_refuse(void)
{
	Account    *slot = own_slot();

	inherit_once();
	pg_atomic_fetch_add_u64(&own.refused, 1);
	if (slot != NULL)
		pg_atomic_write_u64(&slot->refused, pg_atomic_read_u64(&own.refused));
}

/*
 * Have the sum over all processes count bytes that this one is about to
 * commit; with 0 not any more, when they are in its account.
 */
void
account_claim(Size bytes)
{
	Account    *slot = own_slot();

	if (slot == NULL)
		return;
	inherit_once();
	publish();
	pg_atomic_write_u64(&slot->claimed, bytes);
	pg_memory_barrier();
}

/* Is this a child of a backend's, made by some library? */
bool
account_is_librarys(void)
{
	return is_librarys;
}

/* Bytes that this process has committed. */
Size
account_committed(void)
{
	return pg_atomic_read_u64(&own.committed);
}

/* And what it had from the start: all, in the postmaster. */
Size
account_inherited(void)
{
	return at_fork > 0 ? at_fork : account_committed();
}

/* And what of that it still has. */
Size
account_still_inherited(void)
{
	inherit_once();
	return pg_atomic_read_u64(&own.inherited);
}

/*
 * The account of the process that has the PGPROC of that number now, and the
 * process's pid; NULL when there is no process (pid is 0 then), or it has
 * not reported anything yet.
 */
Account *
account_of(int number, int *pid)
{
	*pid = slots != NULL ? compat_proc_pid(number) : 0;
	if (*pid == 0 || pg_atomic_read_u32(&slots[number].pid) != (uint32) *pid)
		return NULL;
	pg_read_barrier();
	return &slots[number];
}

/*
 * Bytes that a process has for itself, of what it has beside what it inherited and of that.
 * What it has written of that is its own, too, and only the kernel knows how much it is.
 */
static uint64
not_shared(Account *account, uint64 inherited)
{
	uint64		committed = Max(pg_atomic_read_u64(&account->committed), inherited);
	uint64		most_own = pg_atomic_read_u64(&account->most_own);
	uint64		written = Min(most_own - Min(most_own, TO_CONNECT), WRITTEN_MOST);

	return committed - inherited + Min(written, inherited);
}

/*
 * Bytes that all processes of the server have committed, or claim.  What children share with
 * the postmaster counts once.
 */
static Size
sum_of_all(bool with_claims)
{
	uint64		total = 0;
	uint64		shared = slots != NULL ? pg_atomic_read_u64(&postmasters_slot()->committed) : 0;

	for (int number = 0; slots != NULL && number < compat_proc_count(); number++)
	{
		int			pid;
		Account    *account = account_of(number, &pid);
		uint64		inherited;

		if (account == NULL)
			continue;
		/* what is not claimed any more is committed then */
		if (with_claims)
			total += pg_atomic_read_u64(&account->claimed);
		pg_read_barrier();
		inherited = pg_atomic_read_u64(&account->inherited);
		total += not_shared(account, inherited);
		/* children may have more of it than the postmaster has by now */
		shared = Max(shared, inherited);
	}
	return total + shared;
}

/* Bytes that they have committed; what is claimed may yet be refused. */
Size
account_processes(void)
{
	return sum_of_all(false);
}

/* What counts at the server's limit: what is claimed, and what namespaces have, too. */
Size
account_server(void)
{
	return sum_of_all(true) + control_committed();
}
