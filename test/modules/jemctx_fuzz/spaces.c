/*-------------------------------------------------------------------------
 *
 * spaces.c
 *	  Whole namespaces: made, reset and dropped, alone or while others do too.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_fuzz.h"

#include "port/atomics.h"
#include "utils/memutils.h"

/* The handles that this process had last, and what the model was then. */
typedef struct Kept
{
	JemctxNamespace *ns;
	MemoryContext context;		/* of the namespace, if it was asked for */
	uint32		generation;
	uint32		settled;
} Kept;

static Kept kept[SPACES];

static const char *
name_of(int space)
{
	return psprintf(SPACE_NAME, space);
}

static void
keep(int number, JemctxNamespace *ns)
{
	const Space *space = &fuzz_board->spaces[number];

	kept[number].ns = ns;
	kept[number].context = NULL;
	kept[number].generation = space->generation;
	kept[number].settled = space->settled;
}

/* The namespace, or NULL if there is none; or an old handle, which may be stale. */
JemctxNamespace *
space_handle(const Op *op, bool *stale)
{
	int			number = space_of_slot(op->slot);
	const Space *space = &fuzz_board->spaces[number];
	Kept	   *old = &kept[number];

	*stale = false;
	if (space->unsure)
		return NULL;
	if ((op->flags & OP_KEPT) && old->ns != NULL && old->settled == space->settled)
	{
		*stale = old->generation != space->generation;
		return old->ns;
	}
	keep(number, jemctx_namespace_find(name_of(number), true));
	if ((old->ns != NULL) != space->exists)
		wrong("namespace %d %s", number, old->ns ? "is there" : "is not there");
	return old->ns;
}

static void
create(int number, Space *space, Size limit)
{
	fuzz_allowed = space->exists ? MAY_EXIST : MAY_SUCCEED;
	keep(number, jemctx_namespace_create(name_of(number), limit));
	space->exists = true;
	space->limit = limit;
	space->refused = 0;
	space->root = NULL;
}

static void
drop(int number, Space *space)
{
	fuzz_allowed = space->exists ? MAY_SUCCEED : MAY_MISS;
	jemctx_namespace_drop(name_of(number));
	space->exists = false;
	space->generation++;
	objects_forget(number);
}

/* Through its memory context: the one that the process had before, or one that it asks for. */
static bool
reset_context(const Op *op, int number)
{
	bool		stale;
	JemctxNamespace *ns = space_handle(op, &stale);
	Kept	   *old = &kept[number];

	if (ns == NULL)
		return false;
	fuzz_allowed = stale ? MAY_MISS : MAY_SUCCEED;
	if (old->context == NULL || stale)
		old->context = jemctx_namespace_context(ns);
	MemoryContextReset(old->context);
	return true;
}

static void
reset(const Op *op, int number, Space *space)
{
	if (op->flags & OP_CONTEXT)
	{
		if (!reset_context(op, number))
			return;
	}
	else
	{
		fuzz_allowed = space->exists ? MAY_SUCCEED : MAY_MISS;
		jemctx_namespace_reset(name_of(number));
	}
	space->root = NULL;
	objects_forget(number);
}

/* What goes by a handle. */
static void
use_handle(const Op *op, Space *space)
{
	bool		stale;
	JemctxNamespace *ns = space_handle(op, &stale);
	char	   *object = fuzz_board->objects[op->slot].address;

	if (ns == NULL)
		return;
	fuzz_allowed = stale ? MAY_MISS : MAY_SUCCEED;
	if (op->code == SPACE_LIMIT)
	{
		jemctx_namespace_set_limit(ns, op->size);
		space->limit = op->size;
		if (jemctx_namespace_limit(ns) != op->size)
			wrong("the limit is not what was set");
	}
	else if (op->code == ROOT_SET)
	{
		jemctx_namespace_set_root(ns, object);
		space->root = object;
	}
	else if (jemctx_namespace_root(ns) != space->root && !stale)
		wrong("the root is %p, not %p", jemctx_namespace_root(ns), space->root);
}

void
space_perform(Op *op)
{
	int			number = space_of_slot(op->slot);
	Space	   *space = &fuzz_board->spaces[number];

	if (space->unsure)
		return;
	if (op->code == SPACE_CREATE)
		create(number, space, op->size);
	else if (op->code == SPACE_DROP)
		drop(number, space);
	else if (op->code == SPACE_RESET)
		reset(op, number, space);
	else
		use_handle(op, space);
}

/* May a reset have taken what the operation has allocated? */
static bool
may_be_gone(const Op *op)
{
	const Space *space = &fuzz_board->spaces[space_of_slot(op->slot)];

	return __atomic_load_n(&space->resets_begun, __ATOMIC_SEQ_CST) != op->resets;
}

/* It has failed; in the middle, if it was cancelled: a reset may be carried out yet. */
void
space_race_failed(Op *op, bool cancelled)
{
	Space	   *space = &fuzz_board->spaces[space_of_slot(op->slot)];

	if (op->code < SPACE_CREATE || op->code > SPACE_RESET)
		op->stale = may_be_gone(op);
	else if (op->code == SPACE_RESET && !cancelled)
		__atomic_fetch_add(&space->resets_over, 1, __ATOMIC_SEQ_CST);
}

/*
 * Allocate and free while others may reset or drop the namespace.  Nothing
 * may be written into an object then: it may be another's already.  What a
 * reset may have taken is left alone, or with OP_ZERO freed nevertheless.
 */
static void
race_for_objects(Op *op)
{
	JemctxNamespace *ns = jemctx_namespace_find(name_of(space_of_slot(op->slot)), true);
	void	   *objects[UINT8_MAX];
	int			count = 0;

	if (ns == NULL)
		return;
	while (count < op->number)
	{
		objects[count] = jemctx_namespace_allocate(ns, op->size, MCXT_ALLOC_NO_OOM |
												   MCXT_ALLOC_HUGE);
		if (objects[count] == NULL)
			break;
		count++;
	}
	while (count > 0 && ((op->flags & OP_ZERO) != 0 || !may_be_gone(op)))
	{
		jemctx_namespace_free(ns, objects[--count]);
		op->stale = may_be_gone(op);
	}
}

static void
race_to_reset(const Op *op, Space *space)
{
	for (int i = 0; i <= op->number % 16; i++)
	{
		__atomic_fetch_add(&space->resets_begun, 1, __ATOMIC_SEQ_CST);
		jemctx_namespace_reset(name_of(space_of_slot(op->slot)));
		__atomic_fetch_add(&space->resets_over, 1, __ATOMIC_SEQ_CST);
	}
}

/* What succeeds is counted, to be compared afterwards with what there is. */
void
space_race(Op *op)
{
	int			number = space_of_slot(op->slot);
	Space	   *space = &fuzz_board->spaces[number];

	fuzz_allowed = MAY_SUCCEED | MAY_MISS | MAY_EXIST | MAY_BE_REJECTED | MAY_BE_REFUSED;
	op->resets = __atomic_load_n(&space->resets_over, __ATOMIC_SEQ_CST);
	if (op->code == SPACE_CREATE)
	{
		jemctx_namespace_create(name_of(number), op->size);
		__atomic_fetch_add(&space->created, 1, __ATOMIC_SEQ_CST);
	}
	else if (op->code == SPACE_DROP)
	{
		jemctx_namespace_drop(name_of(number));
		__atomic_fetch_add(&space->dropped, 1, __ATOMIC_SEQ_CST);
	}
	else if (op->code == SPACE_RESET)
		race_to_reset(op, space);
	else
		race_for_objects(op);
}
