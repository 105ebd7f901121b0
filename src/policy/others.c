/*-------------------------------------------------------------------------
 *
 * others.c
 *	  Purge other processes.
 *
 * Nobody can return another process's memory.  A request is a number in the
 * process's entry of the registry; an idle process is interrupted and answers
 * at once, a busy one answers at the end of its statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/wait_event.h"

#include "arena/appeal.h"
#include "compat/clock.h"
#include "compat/compat.h"
#include "compat/interrupt.h"
#include "policy/others.h"
#include "policy/registry.h"

/* How long an idle process may take, in milliseconds. */
#define ANSWER_TIMEOUT 1000

typedef struct Request
{
	RegistryEntry *entry;
	PGPROC	   *proc;
	int			pid;
	uint32		number;
} Request;

/*
 * Is the process a superuser's?  So is one without a role, as far as
 * pg_cancel_backend() is concerned.
 */
static bool
is_superusers(const PGPROC *proc)
{
	return !OidIsValid(proc->roleId) || superuser_arg(proc->roleId);
}

/* The same processes that pg_cancel_backend() may signal. */
static bool
may_signal(const PGPROC *proc)
{
	if (is_superusers(proc) && !superuser())
		return false;
	return has_privs_of_role(GetUserId(), proc->roleId) ||
		has_privs_of_role(GetUserId(), ROLE_PG_SIGNAL_BACKEND);
}

static bool
is_busy(RegistryEntry *entry)
{
	return pg_atomic_read_u32(&entry->state) == REGISTRY_BUSY;
}

/*
 * Make a request of the process with that PGPROC, and interrupt it if it seems
 * to be idle.  It sheds its caches if that is wanted and they are too large.
 */
static Request
make_request(RegistryEntry *entry, int number, int pid, bool shed)
{
	Request		request = {.entry = entry, .pid = pid};

	request.proc = &ProcGlobal->allProcs[number];
	request.number = registry_request(entry, shed);
	if (!is_busy(entry))
		interrupt_send(request.proc, pid);
	return request;
}

/* Numbers of requests wrap around. */
static bool
is_answered(const Request *request)
{
	return (int32) (pg_atomic_read_u32(&request->entry->answers) - request->number) >= 0;
}

/* Has the PGPROC still the process that was asked? */
static bool
is_alive(const Request *request)
{
	return pg_atomic_read_u32(&request->entry->pid) == (uint32) request->pid &&
		request->proc->procLatch.owner_pid == request->pid;
}

/*
 * Wait until the request is answered, or the process says that it is busy, or
 * the time is over.  Returns false if there is no answer.
 */
static bool
wait_for_answer(const Request *request, int64 deadline, Size *given)
{
	bool		answered;

	ConditionVariablePrepareToSleep(&request->entry->answered);
	while (!(answered = is_answered(request)) && !is_busy(request->entry) && is_alive(request))
	{
		long		left = (long) (deadline - clock_ms());

		if (left <= 0)
			break;
		ConditionVariableTimedSleep(&request->entry->answered, left, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	if (answered)
	{
		pg_read_barrier();
		*given = pg_atomic_read_u64(&request->entry->answer);
	}
	return answered;
}

static int64
answer_deadline(void)
{
	return clock_ms() + ANSWER_TIMEOUT;
}

/* Find the process, or say why it cannot be asked. */
static RegistryEntry *
find_process(int pid, int *number)
{
	for (*number = 0; *number < compat_proc_count(); (*number)++)
	{
		int			found;
		RegistryEntry *entry = registry_of(*number, &found);

		if (found != pid || pid == 0)
			continue;
		if (!may_signal(&ProcGlobal->allProcs[*number]))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to purge the memory of process %d", pid),
					 is_superusers(&ProcGlobal->allProcs[*number]) ?
					 errhint("It is a superuser's process, or one without a role: only "
							 "superusers may ask it.") :
					 errhint("Must be a member of the role whose process it is, or of "
							 "pg_signal_backend.")));
		if (entry != NULL)
			return entry;
		ereport(WARNING,
				(errmsg("process %d cannot be asked to purge its memory", pid),
				 errdetail("It has neither a client nor transactions.")));
		return NULL;
	}
	ereport(WARNING,
			(errmsg("PID %d is not a PostgreSQL server process", pid)));
	return NULL;
}

/*
 * Have another process return its unused memory, and get the bytes it has
 * given back.  Returns false when it is busy, and will do it later, or there
 * is no such process; the user is told.
 */
bool
others_purge(int pid, Size *given)
{
	int			number;
	RegistryEntry *entry = find_process(pid, &number);
	Request		request;

	if (entry == NULL)
		return false;
	request = make_request(entry, number, pid, true);
	if (wait_for_answer(&request, answer_deadline(), given))
		return true;
	ereport(NOTICE,
			(errmsg("process %d is busy", pid),
			 errdetail("It will return its unused memory at the end of its statement "
					   "or transaction.")));
	return false;
}

/* The entry of the process with that PGPROC, or NULL if it is this one or not idle. */
static RegistryEntry *
find_idle(int number, int *pid)
{
	RegistryEntry *entry = registry_of(number, pid);

	if (entry == NULL || *pid == MyProcPid || is_busy(entry))
		return NULL;
	return entry;
}

/*
 * Have all idle processes return their unused memory, and perhaps shed their
 * caches, and do not wait for them; for one that the server's limit has refused
 * memory, or for all.
 */
void
others_ask_all(bool shed)
{
	for (int number = 0; number < compat_proc_count(); number++)
	{
		int			pid;
		RegistryEntry *entry = find_idle(number, &pid);

		/* one that has been asked and has not answered need not be asked again */
		if (entry != NULL && !registry_is_requested_to(entry, shed))
			make_request(entry, number, pid, shed);
	}
}

/*
 * The process that has been idle for longest of those that keep more than
 * least and have not been asked to return it; -1 for none.
 */
static int
longest_idle(Size least, int *pid)
{
	uint64		earliest = PG_UINT64_MAX;
	int			result = -1;

	for (int number = 0; number < compat_proc_count(); number++)
	{
		int			found;
		RegistryEntry *entry = find_idle(number, &found);

		if (entry == NULL || registry_keeps(entry) <= least ||
			pg_atomic_read_u64(&entry->idle_from) >= earliest)
			continue;
		earliest = pg_atomic_read_u64(&entry->idle_from);
		result = number;
		*pid = found;
	}
	return result;
}

/*
 * Have idle processes that keep more than least return what they keep, the
 * longest idle first, until that is so many bytes, and do not wait for them.
 * Returns how many bytes it is.
 */
Size
others_ask_longest_idle(Size bytes, Size least)
{
	Size		asked = 0;
	int			number;
	int			pid;

	while (asked < bytes && (number = longest_idle(least, &pid)) >= 0)
	{
		RegistryEntry *entry = registry_of(number, &pid);

		if (entry == NULL)
			continue;
		asked += pg_atomic_read_u64(&entry->kept);
		make_request(entry, number, pid, false);
	}
	return asked;
}

/* Have our servers called in all idle processes. */
void
others_interrupt_idle(void)
{
	for (int number = 0; number < compat_proc_count(); number++)
	{
		int			pid;

		if (find_idle(number, &pid) != NULL)
			interrupt_send(&ProcGlobal->allProcs[number], pid);
	}
}

/* The entry of the process with that PGPROC, or NULL if it is this one or has told nothing. */
static RegistryEntry *
find_other(int number, int *pid)
{
	RegistryEntry *entry = registry_of(number, pid);

	return *pid == MyProcPid ? NULL : entry;
}

/*
 * Have the busy ones do it as well, where they next check for interrupts.
 * Called within malloc, as is the next one: waits for nothing, allocates
 * nothing.
 */
static void
ask_everybody(void)
{
	for (int number = 0; number < compat_proc_count(); number++)
	{
		int			pid;
		RegistryEntry *entry = find_other(number, &pid);

		if (entry == NULL)
			continue;
		if (!registry_is_requested_to(entry, true))
			registry_request(entry, true);
		interrupt_send(&ProcGlobal->allProcs[number], pid);
	}
}

/* Have they all done it? */
static bool
have_answered(void)
{
	for (int number = 0; number < compat_proc_count(); number++)
	{
		int			pid;
		RegistryEntry *entry = find_other(number, &pid);

		if (entry != NULL && registry_is_requested(entry))
			return false;
	}
	return true;
}

/* In the postmaster. */
void
others_enter(void)
{
	appeal_register(ask_everybody, have_answered);
}

/* All idle processes that may be asked; the bytes they have given back. */
Size
others_purge_all(void)
{
	Request    *requests = palloc(compat_proc_count() * sizeof(Request));
	int64		deadline;
	int			count = 0;
	Size		total = 0;

	for (int number = 0; number < compat_proc_count(); number++)
	{
		int			pid;
		RegistryEntry *entry = find_idle(number, &pid);

		if (entry != NULL && may_signal(&ProcGlobal->allProcs[number]))
			requests[count++] = make_request(entry, number, pid, true);
	}
	deadline = answer_deadline();
	for (int i = 0; i < count; i++)
	{
		Size		given;

		if (wait_for_answer(&requests[i], deadline, &given))
			total += given;
	}
	pfree(requests);
	return total;
}
