/*-------------------------------------------------------------------------
 *
 * limit.c
 *	  How much memory a process, and the whole server, may hold.
 *
 * The extent hooks ask before they commit memory.  What they refuse comes out
 * as an ordinary lack of memory, unless overrun.c lets it pass the limit: what
 * is small, or a library's.  See refusal.c for what becomes of it.
 *
 * The sum over all processes is taken again whenever this one has been granted
 * SERVER_STEP more, whatever it has given back meanwhile, which may be others'
 * by now; and sooner when there is little left, of which each process may have
 * its part without another look: so all of them together keep the limit.
 * Before it takes the sum, it adds what it is about to have: of two that look
 * at the same time at least one sees both.  Where no limit was set, headroom.c
 * looks at what there is.
 *
 * limit_admits() is called from extent hooks: it may not raise errors,
 * allocate, or take locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "utils/guc.h"

#include "arena/leeway.h"
#include "arena/limit.h"
#include "arena/moment.h"
#include "arena/refusal.h"
#include "compat/compat.h"
#include "compat/interrupt.h"
#include "server/account.h"
#include "server/headroom.h"
#include "server/pressure.h"
#include "server/reserve.h"

#define SERVER_STEP ((Size) 256 * 1024)

/* From this share of a limit on nobody keeps unused memory. */
#define NEAR(limit) ((limit) / 4 * 3)

#define KB ((uint64) 1024)

int			backend_memory_limit;

/* So much this process may be granted before the server's sum is taken again. */
static Size allowance;

/* Is there a claim to be settled? */
bool		limit_claimed = false;

/* What can be done about a setting, or without one. */
#define ADVICE(setting) \
	"Raise \"" setting "\", or let statements need less memory, for example with a lower work_mem."
#define MACHINE_ADVICE \
	"The machine, or a control group of the server, has no more beyond " \
	"\"jemctx.reserved_memory\". " \
	"Let statements need less memory, for example with a lower work_mem."

static bool
backend_admits(Size bytes)
{
	Size		limit = limit_of_process();
	Size		held = account_committed();

	if (held + bytes <= limit || !refusal_is_safe(bytes) || leeway_admits(held + bytes - limit))
		return true;
	refusal_note(&(Refusal) {"This process", held, bytes, limit,
							 ADVICE("jemctx.backend_memory_limit")});
	return false;
}

/* Have others count what this process is about to have; what they and it have without. */
static Size
claim(Size bytes)
{
	account_claim(bytes);
	limit_claimed = true;
	return account_server() - bytes;
}

/* What was claimed is committed, or is not going to be. */
void
limit_settle_claim(void)
{
	if (!moment_in_main_thread())
		return;
	account_claim(0);
	limit_claimed = false;
}

static bool
refuse_server(Size sum, Size bytes, Size limit, const char *advice)
{
	limit_settle();
	refusal_note(&(Refusal) {"The server", sum, bytes, limit, advice, true});
	return false;
}

/* May it pass the server's limit, for want of so many bytes? */
static bool
may_pass(Size bytes)
{
	return !refusal_is_safe(bytes) || leeway_admits_for_all(account_committed(), bytes);
}

/* What this process may use of the limit that was set. */
static Size
counted_limit(void)
{
	Size		limit = serverlimit_bytes();
	Size		kept = serverlimit_kept_of(limit);

	return limit > kept ? limit - kept : 0;
}

static bool
sum_admits(Size bytes)
{
	Size		limit;
	Size		sum;

	if (bytes <= allowance)
	{
		allowance -= bytes;
		return true;
	}
	limit = counted_limit();
	sum = claim(bytes);
	allowance = sum + bytes >= limit ? 0 :
		Min(SERVER_STEP, (limit - sum - bytes) / compat_proc_count());
	if (sum + bytes <= limit)
		leeway_room_for_all();
	else if (!may_pass(bytes))
		return refuse_server(sum, bytes, limit, ADVICE("jemctx.server_memory_limit"));
	return true;
}

/* What this process may not use of what the machine has. */
static Size
kept_of_machine(void)
{
	return serverlimit_kept_of(headroom_memory());
}

static bool
machine_admits(Size bytes)
{
	Size		sum;

	if (headroom_believes(bytes))
		return true;
	sum = claim(bytes);
	if (headroom_admits(bytes, kept_of_machine()))
		leeway_room_for_all();
	else if (!may_pass(bytes))
		return refuse_server(sum, bytes, sum + headroom_left(kept_of_machine()), MACHINE_ADVICE);
	return true;
}

/* Whoever grows judges for all now and then, and sees to what is to be done soon. */
static void
look_after_pressure(void)
{
	if (pressure_judge() && MyProc != NULL)
		interrupt_leave_pending();
}

static bool
server_admits(Size bytes)
{
	bool		admitted = serverlimit_is_counted() ? sum_admits(bytes) : machine_admits(bytes);

	if (limit_claimed)
		look_after_pressure();
	return admitted;
}

/*
 * May this process commit so many bytes more?  Whoever asks calls limit_settle()
 * when it has, or has not.  Other threads are never refused: see moment.c.
 */
bool
limit_admits(Size bytes)
{
	/* the process that writes the log has no shared memory; nor is the postmaster refused any */
	if (!moment_in_main_thread() || compat_proc_number() < 0 || reserve_admits(bytes) ||
		!limit_in_force())
		return true;
	if (backend_memory_limit > 0 && !backend_admits(bytes))
		return false;
	return server_memory_limit == SERVERLIMIT_NONE || server_admits(bytes);
}

/*
 * May a namespace, which is no process's own, have so many bytes more?  In the
 * keeper, as above.  The kernel would kill for them, so the machine must have
 * them whatever limit there is.
 */
bool
limit_admits_namespace(Size bytes)
{
	Size		sum = claim(bytes);

	if ((!serverlimit_is_counted() || sum + bytes <= counted_limit()) &&
		(headroom_believes(bytes) ||
		 headroom_admits(bytes, serverlimit_reserve_of(headroom_memory()))))
		return true;
	limit_settle();
	return false;
}

/* Is there more than there may be? */
bool
limit_is_passed(void)
{
	return (backend_memory_limit > 0 && account_committed() > limit_of_process()) ||
		(serverlimit_is_counted() && account_server() > counted_limit()) ||
		(serverlimit_is_automatic() && headroom_left(kept_of_machine()) == 0);
}

/* Is this process's limit so near that it should not keep unused memory? */
bool
limit_is_near(void)
{
	return backend_memory_limit > 0 && account_committed() > NEAR(limit_of_process());
}

/* Is the server's so near that nobody should?  Takes the sum over all processes. */
bool
limit_is_near_for_all(void)
{
	return serverlimit_is_counted() && account_server() > NEAR(serverlimit_bytes());
}

/*
 * A limit that nobody could live with is none that anybody wants.  But one that
 * was accepted once stays: the least depends on what the postmaster has, which
 * may grow before a role's setting is used, or a leader's by a parallel worker.
 */
static bool
check_backend_limit(int *newval, void **extra, GucSource source)
{
	Size		least = reserve_least_limit();

	if (*newval == 0 || *newval * KB >= least || IsParallelWorker() ||
		(source >= PGC_S_GLOBAL && source <= PGC_S_DATABASE_USER))
		return true;
	GUC_check_errdetail("No session could carry out any statement with less than %zu kB.",
						least / KB);
	GUC_check_errhint("Set at least as much, or 0 for no limit.");
	return false;
}

/* In the postmaster. */
void
limit_enter(void)
{
	DefineCustomIntVariable("jemctx.backend_memory_limit",
							"Sets the most private memory that a backend may have.",
							"A statement that needs more ends with an error; 0 sets no limit.",
							&backend_memory_limit, 0, 0, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, check_backend_limit, NULL, NULL);
}
