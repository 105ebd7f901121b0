/*-------------------------------------------------------------------------
 *
 * sentinel.c
 *	  To be called whenever a memory context is reset, or deleted.
 *
 * Core calls a reset callback once.  One that registers itself again would be
 * called for ever, and one that somebody registers twice makes the list of
 * callbacks a circle.  Nor does a callback keep core from doing nothing when
 * nothing was allocated since the last reset.  But the children of a context
 * it deletes each time, and before it comes to the callbacks.
 *
 * So a sentinel is a child, without memory, whose deletion registers the
 * callback; and the callback, when the children are gone, acts, and may post
 * the sentinel again for the next time.  To post one that is there, or on its
 * way, does nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat/methods.h"
#include "compat/sentinel.h"

static void
SentinelReset(MemoryContext context)
{
}

static void
SentinelDelete(MemoryContext context)
{
	Sentinel   *sentinel = (Sentinel *) context;

	if (sentinel->is_registered)
		return;
	sentinel->is_registered = true;
	MemoryContextRegisterResetCallback(sentinel->watched, &sentinel->callback);
}

static bool
SentinelIsEmpty(MemoryContext context)
{
	return true;
}

static void
SentinelStats(MemoryContext context, MemoryStatsPrintFunc printfunc, void *passthru,
			  MemoryContextCounters *totals, bool print_to_stderr)
{
}

static const MemoryContextMethods sentinel_methods = {
	.reset = SentinelReset,
	.delete_context = SentinelDelete,
	.is_empty = SentinelIsEmpty,
	.stats = SentinelStats,
	METHODS_CHECK_NOTHING
};

/* The watched context's children are gone. */
static void
relieve(void *arg)
{
	Sentinel   *sentinel = arg;

	sentinel->is_registered = false;
	sentinel->act(sentinel->watched);
}

/*
 * Have the sentinel act once, at the next reset of the context or when it is
 * deleted, after its children are and before its memory is freed.
 */
void
sentinel_post(Sentinel *sentinel, MemoryContext watched)
{
	if (sentinel->context.parent != NULL || sentinel->is_registered)
		return;
	sentinel->watched = watched;
	sentinel->callback.func = relieve;
	sentinel->callback.arg = sentinel;
	methods_create_context(&sentinel->context, &sentinel_methods, watched, "jemctx sentinel");
}
