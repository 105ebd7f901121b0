/*-------------------------------------------------------------------------
 *
 * limit.c
 *	  How much memory a process, and the whole server, may hold.
 *
 * The extent hooks ask before they commit memory.  What they refuse comes out
 * as an ordinary lack of memory, whoever asked: PostgreSQL's contexts, ours,
 * or a library.  PostgreSQL then raises its own error, and a callback at the
 * bottom of the error context stack tells the user which limit it was.
 *
 * The sum over all processes is taken again whenever this one has grown by
 * SERVER_STEP, so that is how far each may be beyond the server's limit.
 *
 * limit_admits() is called from extent hooks: it may not raise errors,
 * allocate, or take locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "miscadmin.h"
#include "utils/elog.h"
#include "utils/guc.h"

#include "arena/account.h"
#include "arena/limit.h"
#include "arena/refusal.h"

#define SERVER_STEP (1024 * 1024)

/* From this share of a limit on nobody keeps unused memory. */
#define PRESSURE(limit) ((limit) / 4 * 3)

#define KB ((uint64) 1024)

int			backend_memory_limit;
int			server_memory_limit;

/* The last refusal, until its user has been told. */
static struct
{
	bool		pending;
	bool		final;			/* somebody has got no memory because of it */
	bool		avoidable;		/* perhaps, by a purge of this process */
	char		holder[NAMEDATALEN + 16];	/* subject of a sentence */
	Size		held;
	Size		asked;
	Size		limit;
	const char *advice;
}			refusal;

/* The server's sum need not be taken before this process has so much. */
static Size server_checked_until;

/* And what that sum was. */
static Size server_sum;

/* Others should return what they do not use; see limit_server_was_full(). */
static bool server_was_full = false;

/*
 * Is what is being reported the consequence of the refusal?  A library that
 * has got no memory may complain of something else.
 */
static bool
is_consequence(void)
{
	int			category = ERRCODE_TO_CATEGORY(geterrcode());

	return geterrcode() == ERRCODE_OUT_OF_MEMORY ||
		(refusal.final && category != ERRCODE_SUCCESSFUL_COMPLETION && category != ERRCODE_WARNING);
}

/* Tell the user of the refusal what the message cannot. */
static void
explain_refusal(void *arg)
{
	if (!refusal.pending || !is_consequence())
		return;
	errcode(ERRCODE_OUT_OF_MEMORY);
	errdetail("%s holds %zu kB, asked for %zu kB more, and may have %zu kB.",
			  refusal.holder, (Size) (refusal.held / KB), (Size) ((refusal.asked + KB - 1) / KB), (Size) (refusal.limit / KB));
	errhint("%s", refusal.advice);
	refusal.pending = false;
}

static ErrorContextCallback explanation = {.callback = explain_refusal};

/*
 * Put our callback below all others on the stack; it stays there until an
 * error has emptied the stack.
 */
static void
arm_explanation(void)
{
	ErrorContextCallback **end = &error_context_stack;

	while (*end != NULL && *end != &explanation)
		end = &(*end)->previous;
	*end = &explanation;
}

/*
 * Have the next error about a lack of memory say who holds how much, how much
 * more was asked for, what the limit is, and what can be done.  advice must be
 * a constant.
 */
void
limit_explain(const char *holder, Size held, Size asked, Size limit, const char *advice)
{
	refusal.pending = true;
	refusal.final = false;
	refusal.avoidable = false;
	strlcpy(refusal.holder, holder, sizeof(refusal.holder));
	refusal.held = held;
	refusal.asked = asked;
	refusal.limit = limit;
	refusal.advice = advice;
	arm_explanation();
}

static bool
refuse(const char *holder, Size held, Size asked, Size limit, const char *advice)
{
	if (!refusal.pending)
		account_refuse(1);
	limit_explain(holder, held, asked, limit, advice);
	refusal.avoidable = true;
	return false;
}

/* What can be done about a setting. */
#define ADVICE(setting) \
	"Raise \"" setting "\", or let statements need less memory, for example with a lower work_mem."

static bool
backend_admits(Size bytes)
{
	Size		limit = backend_memory_limit * KB;
	Size		held = account_committed();

	if (held + bytes <= limit || !refusal_is_safe())
		return true;
	return refuse("This process", held, bytes, limit, ADVICE("jemctx.backend_memory_limit"));
}

static bool
server_admits(Size bytes)
{
	Size		limit = server_memory_limit * KB;
	Size		held = account_committed();

	if (held + bytes <= server_checked_until && server_sum + SERVER_STEP <= limit)
		return true;
	server_sum = account_server();
	server_checked_until = held + Max(bytes, SERVER_STEP);
	if (server_sum + bytes <= limit || !refusal_is_safe())
		return true;
	server_checked_until = 0;
	server_was_full = true;
	return refuse("The server", server_sum, bytes, limit, ADVICE("jemctx.server_memory_limit"));
}

/* May this process commit so many bytes more? */
bool
limit_admits(Size bytes)
{
	if (backend_memory_limit > 0 && !backend_admits(bytes))
		return false;
	return server_memory_limit == 0 || server_admits(bytes);
}

/* May a namespace, which is no process's own, have so many bytes more? */
bool
limit_admits_namespace(Size bytes)
{
	return server_memory_limit == 0 || account_server() + bytes <= server_memory_limit * KB;
}

/*
 * An allocation has failed: because of a refusal that a purge may avoid?
 * Another thread must not do what the main one can do about it.
 */
bool
limit_refused(void)
{
	return refusal.pending && refusal.avoidable && gettid() == getpid();
}

/* An allocation has failed for good. */
void
limit_enforced(void)
{
	refusal.final = refusal.pending;
}

/* Whoever was refused memory went on without. */
void
limit_forget(void)
{
	refusal.pending = false;
}

/* Whoever was refused memory asks again. */
void
limit_retry(void)
{
	account_refuse(-1);
	server_was_full = false;
	limit_forget();
}

/* Has the server's limit refused this process memory since the last call? */
bool
limit_server_was_full(void)
{
	bool		was_full = server_was_full;

	server_was_full = false;
	return was_full;
}

/* Is this process's limit so near that it should not keep unused memory? */
bool
limit_is_near(void)
{
	return backend_memory_limit > 0 && account_committed() > PRESSURE(backend_memory_limit * KB);
}

/* Is the server's so near that nobody should?  Takes the sum over all processes. */
bool
limit_is_near_for_all(void)
{
	return server_memory_limit > 0 && account_server() > PRESSURE(server_memory_limit * KB);
}

/* In the postmaster. */
void
limit_enter(void)
{
	DefineCustomIntVariable("jemctx.backend_memory_limit",
							"Sets the most private memory that a backend may have.",
							"A statement that needs more ends with an error; 0 sets no limit.",
							&backend_memory_limit, 0, 0, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("jemctx.server_memory_limit",
							"Sets the most memory that all processes and namespaces together may have.",
							"A statement that needs more ends with an error; 0 sets no limit.",
							&server_memory_limit, 0, 0, MAX_KILOBYTES,
							PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
}
