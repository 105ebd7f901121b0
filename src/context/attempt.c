/*-------------------------------------------------------------------------
 *
 * attempt.c
 *	  Try the types of contexts before anybody uses them.
 *
 * How PostgreSQL calls them is found out at the start (see compat/dispatch.c),
 * and what uses them first is its catalog caches.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/wait.h>
#include <unistd.h>

#include "compat/probe.h"
#include "context/attempt.h"
#include "context/persistent.h"
#include "context/transient.h"
#include "jemalloc/trial.h"

/* A chunk that shares a block or slab, and one that does not. */
#define SMALL ((Size) 40)
#define LARGE ((Size) 20000)

/* Is it found by PostgreSQL what the chunk is, and is in it what was? */
static bool
is_right(MemoryContext context, char *pointer, Size size)
{
	return GetMemoryChunkContext(pointer) == context &&
		GetMemoryChunkSpace(pointer) >= size + sizeof(ChunkOwner) &&
		pointer[0] == 1 && pointer[SMALL - 1] == 2;
}

/* A chunk grows, shrinks, and goes. */
static bool
chunk_works(MemoryContext context)
{
	char	   *pointer = MemoryContextAlloc(context, SMALL);
	bool		result;

	pointer[0] = 1;
	pointer[SMALL - 1] = 2;
	result = is_right(context, pointer, SMALL);
	pointer = repalloc(pointer, LARGE);
	result = result && is_right(context, pointer, LARGE);
	pointer = repalloc(pointer, 2 * LARGE);
	result = result && is_right(context, pointer, 2 * LARGE);
	pointer = repalloc(pointer, SMALL);
	result = result && is_right(context, pointer, SMALL);
	pfree(pointer);
	return result;
}

static bool
context_works(MemoryContext context)
{
	bool		result = MemoryContextIsEmpty(context) && chunk_works(context);

	(void) MemoryContextAlloc(context, SMALL);
	MemoryContextReset(context);
	result = result && MemoryContextIsEmpty(context) && chunk_works(context);
	MemoryContextDelete(context);
	return result;
}

static bool
transient_works(void)
{
	return context_works(transient_create(TopMemoryContext, "jemctx attempt"));
}

static bool
persistent_works(void)
{
	return context_works(persistent_create(TopMemoryContext, "jemctx attempt"));
}

/* What does not work, or NULL. */
static const char *
find_fault(void)
{
	const char *fault = probe_rows();

	if (fault != NULL)
		return fault;
	if ((fault = probe_caught(transient_works)) != NULL)
		return psprintf("a transient context does not work: %s", fault);
	if ((fault = probe_caught(persistent_works)) != NULL)
		return psprintf("a persistent context does not work: %s", fault);
	return NULL;
}

/* The parent reads it. */
static void
tell_fault(const void *arg)
{
	const char *fault = find_fault();

	if (fault == NULL)
		return;
	(void) printf("%s", fault);
	(void) fflush(stdout);
	_exit(1);
}

/*
 * In the postmaster: what does not work, or NULL.  A child finds it out, since
 * it may not live to tell, and all processes of the server would inherit the
 * arenas that are made for it.
 */
const char *
attempt_contexts(void)
{
	Trial		trial;

	trial_run(&trial, tell_fault, NULL);
	if (trial_passed(&trial))
		return NULL;
	if (trial.end != TRIAL_ENDED)
		return "An attempt to use them did not end";
	if (WIFSIGNALED(trial.status))
		return psprintf("An attempt to use them was ended by signal %d", WTERMSIG(trial.status));
	return psprintf("An attempt to use them has failed: %s", trial.said);
}
