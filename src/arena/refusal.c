/*-------------------------------------------------------------------------
 *
 * refusal.c
 *	  What becomes of a refusal of memory.
 *
 * moment.c knows when there can be one.  Then it is
 *
 *	  noted		an extent hook has refused pages to an allocation
 *	  denied	the allocation failed, and again after a purge: it counts
 *	  pending	whoever asked has no memory, and may raise an error
 *	  told		PostgreSQL's error about it has our detail and hint
 *
 * jemalloc may make do without the pages that it asked for, and a pending
 * refusal may have been coped with.  So an allocation that fails is watched
 * from a fresh start, and an error that is not about a lack of this memory is
 * none of our business.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/elog.h"
#include "utils/memutils.h"

#include "arena/moment.h"
#include "arena/refusal.h"
#include "server/account.h"
#include "server/pressure.h"

#define KB ((Size) 1024)
#define IN_KB(bytes) (((bytes) + KB - 1) / KB)

/* What the hooks have refused the main thread since it has been watched. */
static Refusal noted;
static bool is_noted;

/* What the user is to be told, and room for the name in it. */
static Refusal pending;
static bool is_pending;
static char pending_holder[NAMEDATALEN + 16];
static const char *pending_debtor;

/* Others should return what they do not use; see refusal_server_was_full(). */
static bool server_was_full = false;

/* Has there been anything of this in the statement? */
static bool happened = false;

/* No lack of memory while it is explained. */
static bool explaining = false;

/* Nor while the process ends. */
static bool ending = false;

/*
 * Would a lack of so many bytes here and now end the statement and nothing else?
 * Called from extent hooks.
 */
bool
refusal_is_safe(Size bytes)
{
	return !explaining && !ending && moment_objection(bytes) == NULL;
}

/* Would an error that PostgreSQL raises where it serves interrupts? */
bool
refusal_is_safe_at_interrupt(void)
{
	return moment_objection_at_interrupt() == NULL;
}

/* An allocation is tried: what has been refused so far has nothing to do with it. */
void
refusal_watch(void)
{
	is_noted = false;
}

/* Called from extent hooks, by the main thread. */
void
refusal_note(const Refusal *refusal)
{
	noted = *refusal;
	is_noted = true;
	happened = true;
}

/* What of the allocation that was tried has been refused, or NULL. */
const Refusal *
refusal_noted(void)
{
	return is_noted ? &noted : NULL;
}

/* A statement, or what it has asked for, was refused. */
void
refusal_count(const Refusal *refusal)
{
	account_refuse();
	if (!refusal->by_server)
		return;
	server_was_full = true;
	pressure_count(PRESSURE_REFUSALS);
}

/*
 * The allocation has failed for good because of what is noted, and perhaps
 * because of what a library has got before.
 */
void
refusal_deny(const char *debtor)
{
	refusal_count(&noted);
	refusal_explain(&noted);
	pending_debtor = debtor;
}

/*
 * Shared memory may be full as well, whoever has a hint knows better, and what
 * a parallel worker has raised (there is no original message then) is complete.
 */
static bool
lacks_private_memory(const ErrorData *error)
{
	return error->hint == NULL && error->message_id != NULL && error->filename != NULL &&
		strncmp(error->message_id, "out of memory", strlen("out of memory")) == 0 &&
		strcmp(error->filename, "dsa.c") != 0;
}

/*
 * The errors of libraries that have coped with a refusal (see caller.c), as
 * those that use them report them.
 */
static const struct
{
	int			code;
	const char *message;
}			coped[] = {
	{ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "MemoryError"},
	{ERRCODE_CONNECTION_FAILURE, "out of memory"},
	{ERRCODE_CONNECTION_FAILURE, "cannot allocate memory"},
};

static bool
may_be_coped(int code)
{
	for (int i = 0; i < lengthof(coped); i++)
	{
		if (coped[i].code == code)
			return true;
	}
	return false;
}

static bool
has_coped(const ErrorData *error)
{
	for (int i = 0; i < lengthof(coped) && error->hint == NULL && error->message != NULL; i++)
	{
		if (coped[i].code == error->sqlerrcode &&
			strncmp(error->message, coped[i].message, strlen(coped[i].message)) == 0)
			return true;
	}
	return false;
}

/* Is the error that is being reported about an allocation that failed? */
static bool
is_consequence(void)
{
	MemoryContext old_context;
	ErrorData  *error;
	volatile bool result = false;

	if (geterrcode() != ERRCODE_OUT_OF_MEMORY && !may_be_coped(geterrcode()))
		return false;
	/* core's function must not run in ErrorContext */
	explaining = true;
	old_context = MemoryContextSwitchTo(TopMemoryContext);
	PG_TRY();
	{
		error = CopyErrorData();
		result = error->sqlerrcode == ERRCODE_OUT_OF_MEMORY ? lacks_private_memory(error) :
			has_coped(error);
		FreeErrorData(error);
		MemoryContextSwitchTo(old_context);
	}
	PG_FINALLY();
	{
		/* also when there is no memory for the copy, of a long statement say */
		explaining = false;
	}
	PG_END_TRY();
	return result;
}

/* Tell the user of the refusal what the message cannot. */
static void
explain_pending(void *arg)
{
	if (!is_pending || explaining || !is_consequence())
		return;
	errcode(ERRCODE_OUT_OF_MEMORY);
	if (pending_debtor != NULL)
		errdetail("%s holds %zu kB, which %s has needed, asked for %zu kB more, and "
				  "may have %zu kB.",
				  pending.holder, pending.held / KB, pending_debtor, IN_KB(pending.asked),
				  pending.limit / KB);
	else if (pending.limit > 0)
		errdetail("%s holds %zu kB, asked for %zu kB more, and may have %zu kB.",
				  pending.holder, pending.held / KB, IN_KB(pending.asked), pending.limit / KB);
	else
		errdetail("%s holds %zu kB and asked for %zu kB more.",
				  pending.holder, pending.held / KB, IN_KB(pending.asked));
	errhint("%s", pending.advice);
	is_pending = false;
}

static ErrorContextCallback explanation = {.callback = explain_pending};

/*
 * Put our callback below all others on the stack; it stays there until an
 * error has emptied the stack.  It should be there before a statement begins:
 * if it comes to an empty stack inside of PG_TRY it is gone after PG_END_TRY,
 * and that is where errors of libpq's are raised.  The main thread only.
 */
static void
prepare(void)
{
	ErrorContextCallback **end = &error_context_stack;

	while (*end != NULL && *end != &explanation)
		end = &(*end)->previous;
	*end = &explanation;
}

/* Have the next error about a lack of memory explain it; the main thread only. */
void
refusal_explain(const Refusal *refusal)
{
	pending = *refusal;
	strlcpy(pending_holder, refusal->holder, sizeof(pending_holder));
	pending.holder = pending_holder;
	pending_debtor = NULL;
	is_pending = true;
	happened = true;
	prepare();
}

/* Whoever was refused memory went on without. */
void
refusal_forget(void)
{
	is_pending = false;
}

/* The statement is over.  Be ready for what may happen in the next. */
void
refusal_end(void)
{
	refusal_forget();
	happened = false;
	prepare();
}

/* Is there no need to call that, since nothing was refused, and no error raised? */
bool
refusal_is_quiet(void)
{
	return !happened && error_context_stack == &explanation;
}

/* Has the server's limit denied this process memory since the last call? */
bool
refusal_server_was_full(void)
{
	bool		was_full = server_was_full;

	server_was_full = false;
	return was_full;
}

/* The session ends here and now, and needs memory for that. */
void
refusal_stop(void)
{
	ending = true;
}
