/*-------------------------------------------------------------------------
 *
 * objects.c
 *	  Objects of namespaces, which sessions leave to each other.
 *
 *-------------------------------------------------------------------------
 */
#include "jemctx_fuzz.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * What may be taken without being asked for: half-used slabs, magazines, what
 * jemalloc takes at a time.
 */
#define SLACK (UINT64_C(6) << 20)

#define MOST_AT_ONCE 256

static uint8 next_seed;

void
objects_forget(int space)
{
	for (int slot = space; slot < OBJECTS; slot += SPACES)
		fuzz_board->objects[slot].address = NULL;
}

/*
 * May an object be refused?  A small one not while there is memory: an object
 * that is large needs it in one piece.
 */
static bool
may_be_refused(const Op *op)
{
	Space	   *space = &fuzz_board->spaces[space_of_slot(op->slot)];
	uint64		all = 0;

	for (int i = 0; i < SPACES; i++)
		all += fuzz_board->spaces[i].committed;
	return op->size > SMALL_OBJECT || all + fuzz_board->asked + SLACK > REGION_BYTES ||
		(space->limit > 0 && space->committed + fuzz_board->asked + SLACK > space->limit);
}

static void
allow_alloc(const Op *op, bool stale, bool may_be_null)
{
	if (stale)
		fuzz_allowed = MAY_MISS;
	else if (op->size > REGION_BYTES)
		fuzz_allowed = MAY_BE_REFUSED | (may_be_null ? MAY_SUCCEED : 0);
	else
		fuzz_allowed = MAY_SUCCEED | (may_be_refused(op) ? MAY_BE_REFUSED : 0);
	if (!size_is_valid(op))
		fuzz_allowed = MAY_BE_TOO_LARGE | (stale ? MAY_MISS : 0);
}

static void
count_refusal(const Op *op)
{
	Space	   *space = &fuzz_board->spaces[space_of_slot(op->slot)];

	space->refused++;
	if ((fuzz_allowed & MAY_BE_REFUSED) == 0)
		wrong("%zu bytes are refused while there is memory", (Size) op->size);
}

static Size
usable_size(JemctxNamespace *ns, const Object *object)
{
	if (object->chunk)
		return GetMemoryChunkSpace(object->address);
	return jemctx_namespace_usable_size(ns, object->address);
}

static void
set_object(Object *object, JemctxNamespace *ns, Size size)
{
	object->size = size;
	object->seed = next_seed++;
	object->usable = usable_size(ns, object);
	if (object->usable < size + (object->chunk ? 16 : 0))
		wrong("object %p has %zu bytes, not %zu", object->address, (Size) object->usable, size);
	if ((uintptr_t) object->address % 16 != 0)
		wrong("object %p is not aligned", object->address);
	paint(object->address, size, object->seed);
}

static void
alloc(const Op *op, Object *object, JemctxNamespace *ns, bool stale)
{
	bool		chunk = (op->flags & OP_CONTEXT) != 0;
	char	   *address;

	if (object->address != NULL)
		return;
	allow_alloc(op, stale, (op->flags & OP_NO_OOM) != 0);
	if (chunk)
		address = MemoryContextAllocExtended(jemctx_namespace_context(ns), op->size,
											 alloc_flags(op));
	else
		address = jemctx_namespace_allocate(ns, op->size, alloc_flags(op));
	object->address = address;
	object->chunk = chunk;
	if (address == NULL)
		count_refusal(op);
	else
	{
		if (op->flags & OP_ZERO)
			check_zero(address, op->size);
		set_object(object, ns, op->size);
	}
}

static void
check_object(const Object *object)
{
	check_painted(object->address, object->size, object->size, object->seed);
}

/* Through the context of the namespace. */
static void
resize(const Op *op, Object *object, JemctxNamespace *ns)
{
	Size		old_size = object->size;

	if (!object->chunk)
		return;
	check_object(object);
	allow_alloc(op, false, false);
	object->address = op->flags & OP_HUGE ? repalloc_huge(object->address, op->size) :
		repalloc(object->address, op->size);
	check_painted(object->address, old_size, op->size, object->seed);
	set_object(object, ns, op->size);
}

static void
free_object(Object *object, JemctxNamespace *ns, bool stale)
{
	check_object(object);
	if (object->chunk)
	{
		fuzz_allowed |= NEEDS_NO_MEMORY;
		pfree(object->address);
	}
	else
	{
		fuzz_allowed = (stale ? MAY_MISS : MAY_SUCCEED) | NEEDS_NO_MEMORY;
		jemctx_namespace_free(ns, object->address);
	}
	object->address = NULL;
}

static void
look_at(const Object *object, JemctxNamespace *ns)
{
	check_object(object);
	if (usable_size(ns, object) != object->usable)
		wrong("object %p has %zu bytes, not %zu", object->address, usable_size(ns, object),
			  (Size) object->usable);
	if (object->chunk && GetMemoryChunkContext(object->address) != jemctx_namespace_context(ns))
		wrong("chunk %p is not of its namespace", object->address);
}

static void
make_mistake(int number, Object *object, JemctxNamespace *ns)
{
	char		local = 0;

	fuzz_allowed = MAY_BE_REJECTED;
	if (number % 4 == 0)
		jemctx_namespace_free(ns, object->address + 1);
	else if (number % 4 == 1)
		jemctx_namespace_usable_size(ns, object->address + 1);
	else
		jemctx_namespace_free(ns, number % 4 == 2 ? NULL : &local);
}

/* More objects at once than magazines hold.  What is interrupted would leave some. */
static void
alloc_many(const Op *op, JemctxNamespace *ns)
{
	void	   *many[MOST_AT_ONCE];
	int			count = 0;

	if (op->size > REGION_BYTES)
		return;
	fuzz_allowed |= may_be_refused(op) ? MAY_BE_REFUSED : 0;
	HOLD_INTERRUPTS();
	while (count < op->number)
	{
		many[count] = jemctx_namespace_allocate(ns, op->size, MCXT_ALLOC_NO_OOM);
		if (many[count] == NULL)
			break;
		memset(many[count++], 0x5A, Min(op->size, SMALL_OBJECT));
	}
	for (int i = 0; i < count; i++)
		jemctx_namespace_free(ns, many[op->flags & OP_ZERO ? i : count - 1 - i]);
	RESUME_INTERRUPTS();
	if (count < op->number)
		count_refusal(op);
}

/* What is done with an object that is there. */
static void
perform_with(const Op *op, Object *object, JemctxNamespace *ns)
{
	if (op->code == OBJECT_REALLOC)
		resize(op, object, ns);
	else if (op->code == OBJECT_CHECK)
		look_at(object, ns);
	else if (op->code == OBJECT_MISTAKE)
		make_mistake(op->number, object, ns);
}

void
object_perform(Op *op)
{
	Object	   *object = &fuzz_board->objects[op->slot];
	bool		stale;
	JemctxNamespace *ns = space_handle(op, &stale);

	if (ns == NULL)
		return;
	if (op->code == OBJECT_ALLOC)
		alloc(op, object, ns, stale);
	else if (op->code == OBJECT_FREE && object->address != NULL)
		free_object(object, ns, stale);
	else if (op->code == OBJECT_MANY && !stale)
		alloc_many(op, ns);
	else if (object->address != NULL && !stale)
		perform_with(op, object, ns);
}
