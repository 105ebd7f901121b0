/*-------------------------------------------------------------------------
 *
 * magazine.c
 *	  A process's free objects of a namespace.
 *
 * A magazine that is empty is filled to half, one that is full is emptied to
 * half, so that taking turns does not go to the depot each time.  It begins
 * small and doubles when it is filled or emptied; what all of them together
 * may hold is limited, and beyond that objects go to and from the depot one by
 * one.
 *
 * What a process keeps while it is idle is kept from others.  The keeper sees
 * that and asks for it: the process is made to run an empty transaction, whose
 * end is seen here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xact.h"
#include "storage/ipc.h"
#include "utils/memutils.h"

#include "compat/compat.h"
#include "namespace/magazine.h"
#include "shared/bits.h"
#include "shared/guard.h"

/* Of a magazine at first. */
#define FIRST_CAPACITY 8

/* This process's, by slot: the handle made last, and what it keeps. */
static JemctxNamespace *handles[NAMESPACE_SLOTS];
static Rack *racks[NAMESPACE_SLOTS];

/* Of the next handle in a slot that has none. */
static Rack *spare_rack;

/* What a handle without memory of its own may use for one call: it keeps nothing. */
static JemctxNamespace borrowed;
static Rack no_rack;

/* Has this process to return what it keeps to the depot when it ends? */
static bool attached;

/* All counts of this process for the namespace. */
static Counts *
counts_of_handle(JemctxNamespace *ns)
{
	return (Counts *) ((char *) ns->counts - offsetof(Counts, cached));
}

/* The magazine of a class, the object on top last. */
static void **
objects_of(JemctxNamespace *ns, uint32 class)
{
	return magazine_top(ns, class, 1);
}

/* The process ends: leave nothing behind. */
static void
detach(int code, Datum arg)
{
	/* a half-done change of what others use, too: the server must start over */
	if (guard_is_broken())
		_exit(2);
	magazine_flush_all();
	memset(handles, 0, sizeof(handles));
	attached = false;
}

/* Leave exact counts, and nothing in magazines if the keeper has asked for it. */
static void
end_transaction(XactEvent event, void *arg)
{
	if (!attached || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT))
		return;
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		magazine_forget_last_of(slot);
		if (handles[slot] != NULL)
			magazine_flush_wanted(handles[slot]);
	}
}

/*
 * In the postmaster, for all: to register it takes memory, which a process that
 * frees some may not have.
 */
void
magazine_enter(void)
{
	RegisterXactCallback(end_transaction, NULL);
}

/* See to it that this process leaves nothing behind. */
static void
attach(void)
{
	if (!attached)
		before_shmem_exit(detach, 0);
	attached = true;
}

/* Begin with empty magazines. */
static void
start_over(JemctxNamespace *ns, uint64 edition)
{
	guard_enter();				/* not what is left of one edition as the next's */
	ns->edition = edition;
	ns->owner = namespace_owner(ns->space, edition);
	ns->last = NULL;
	for (int class = 0; class < SIZES_COUNT; class++)
	{
		ns->rack->capacities[class] = 0;
		ns->counts[class] = 0;
		counts_of_handle(ns)->draining[class] = 0;
	}
	pg_atomic_write_u32(&counts_of_handle(ns)->flush_wanted, 0);
	pg_atomic_write_u64(&counts_of_handle(ns)->edition, edition);
	guard_leave();
}

/* Make a handle one of that namespace. */
static void
begin(JemctxNamespace *ns, Namespace *space, uint64 edition, Rack *rack)
{
	ns->space = space;
	ns->counts = counts_of(compat_proc_number(), space->slot)->cached;
	ns->rack = rack;
	start_over(ns, edition);
}

/* This process's handle of a namespace with that edition, if it has one already. */
JemctxNamespace *
magazine_known_handle(Namespace *space, uint64 edition)
{
	JemctxNamespace *ns = handles[space->slot];

	return ns != NULL && GENERATION(ns->edition) == GENERATION(edition) ? ns : NULL;
}

/*
 * Memory for a handle, and whatever else it needs.  Raises an ERROR if there
 * is none, or with MCXT_ALLOC_NO_OOM returns NULL.
 */
JemctxNamespace *
magazine_new_handle(const char *name, int flags)
{
	Size		size = offsetof(JemctxNamespace, name) + strlen(name) + 1;
	JemctxNamespace *ns;

	attach();
	if (spare_rack == NULL)
		spare_rack = MemoryContextAllocExtended(TopMemoryContext, sizeof(Rack), flags);
	if (spare_rack == NULL)
		return NULL;
	ns = MemoryContextAllocExtended(TopMemoryContext, size, flags);
	if (ns != NULL)
		strcpy(ns->name, name);
	return ns;
}

/* Make this new one the handle of a namespace, unless there is one.  Nothing can fail. */
JemctxNamespace *
magazine_handle(Namespace *space, uint64 edition, JemctxNamespace *ns)
{
	int			slot = space->slot;
	JemctxNamespace *known = magazine_known_handle(space, edition);

	if (known != NULL)
	{
		pfree(ns);
		return known;
	}
	if (racks[slot] == NULL)
	{
		racks[slot] = spare_rack;
		spare_rack = NULL;
	}
	begin(ns, space, edition, racks[slot]);
	handles[slot] = ns;
	return ns;
}

/* A handle for one call by a process that has none, and no memory for one. */
JemctxNamespace *
magazine_borrow(Namespace *space, uint64 edition)
{
	begin(&borrowed, space, edition, &no_rack);
	return &borrowed;
}

/* The namespace is not what it was: dropped, which is an ERROR, or reset. */
void pg_noinline
magazine_renew(JemctxNamespace *ns)
{
	uint64		edition = pg_atomic_read_u64(&ns->space->edition);

	if (GENERATION(edition) != GENERATION(ns->edition))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("namespace \"%s\" was dropped", ns->name),
				 errhint("Find or create it again; what was in it is gone.")));
	start_over(ns, edition);
}

/* Let a magazine that was full or empty have twice as many objects. */
static void
grow(JemctxNamespace *ns, uint32 class)
{
	const SizeClass *size = &size_classes[class];
	int			capacity = ns->rack->capacities[class];
	int			larger = Min(size->cache, Max(FIRST_CAPACITY, 2 * capacity));

	/* a process that has returned all, as it ends, must keep nothing more */
	if (attached && ns->rack != &no_rack && larger > capacity &&
		depot_reserve(ns->space, ns->edition, class, (Size) (larger - capacity) * size->size))
		ns->rack->capacities[class] = larger;
}

/*
 * Fill an empty magazine.  Returns how many objects it has then: none if the
 * depot has none, or DEPOT_STALE.  A magazine that may have none gets one
 * nevertheless, for the caller to take.
 */
int
magazine_fill(JemctxNamespace *ns, uint32 class)
{
	int			count;

	magazine_flush_wanted(ns);
	guard_enter();
	grow(ns, class);
	count = depot_take(ns->space, ns->edition, class, objects_of(ns, class),
					   Max(1, ns->rack->capacities[class] / 2));
	if (count > 0)
		ns->counts[class] = count;
	guard_leave();
	return count;
}

static bool
is_among(void **objects, int count, void *object)
{
	for (int i = 0; i < count; i++)
	{
		if (objects[i] == object)
			return true;
	}
	return false;
}

/*
 * A set of addresses, each of which is one bit: that tells of almost every
 * address that is not in it, without a look at the others (Bloom).
 */
typedef struct AddressFilter
{
	uint64		words[16];
} AddressFilter;

static inline uint32
filter_place(void *address)
{
	/* the golden ratio's fraction spreads addresses of any distance */
	return (uintptr_t) address * UINT64CONST(0x9E3779B97F4A7C15) >> 54;
}

static void
filter_add(AddressFilter *filter, void **addresses, int count)
{
	for (int i = 0; i < count; i++)
	{
		uint32		place = filter_place(addresses[i]);

		filter->words[place / WORD_BITS] |= BIT_OF(place);
	}
}

static inline bool
filter_may_have(AddressFilter *filter, void *address)
{
	uint32		place = filter_place(address);

	return (filter->words[place / WORD_BITS] & BIT_OF(place)) != 0;
}

/*
 * Keep those of a magazine's objects that are not among its lower ones, which
 * are to be given, nor in their slabs already: each of these was freed twice,
 * and would be somebody else's when it is taken from its slab.  The depot is
 * not locked for it, since nobody but who has an object can change where it is.
 */
static int
keep_others(JemctxNamespace *ns, uint32 class, int lower, void **wrong)
{
	void	  **objects = objects_of(ns, class);
	AddressFilter filter = {{0}};
	int			kept = lower;

	filter_add(&filter, objects, lower);
	for (int i = lower; i < ns->counts[class]; i++)
	{
		if ((filter_may_have(&filter, objects[i]) && is_among(objects, lower, objects[i])) ||
			!depot_is_out(ns->owner, class, objects[i]))
			*wrong = objects[i];
		else
			objects[kept++] = objects[i];
	}
	return kept - lower;
}

/*
 * Give the lower objects of a magazine back.  Returns one that was freed
 * twice, or NULL.  When the edition has passed the next use notices.
 */
static void *
give_lower(JemctxNamespace *ns, uint32 class, int count)
{
	void	  **objects = objects_of(ns, class);
	void	   *wrong = NULL;
	int			left = keep_others(ns, class, count, &wrong);

	if (!depot_give(ns->space, ns->edition, class, objects, count, &wrong))
		return NULL;
	memmove(objects, objects + count, left * sizeof(void *));
	ns->counts[class] = left;
	return wrong;
}

/* Give objects back that are in no magazine. */
static void *
give(JemctxNamespace *ns, uint32 class, void **objects, int count)
{
	void	   *wrong = NULL;

	depot_give(ns->space, ns->edition, class, objects, count, &wrong);
	return wrong;
}

/* Say so, if an object was freed twice. */
static void
report_double_free(JemctxNamespace *ns, void *wrong, int elevel)
{
	if (wrong != NULL)
		ereport(elevel,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("object %p of namespace \"%s\" was freed already", wrong, ns->name)));
}

/*
 * Make room in a full magazine and put an object there, or into the depot if
 * the magazine may have none.
 */
void
magazine_empty_half(JemctxNamespace *ns, uint32 class, void *object)
{
	void	   *wrong = NULL;

	guard_enter();
	grow(ns, class);
	if (ns->rack->capacities[class] == 0)
		wrong = give(ns, class, &object, 1);
	else
	{
		if (ns->counts[class] >= ns->rack->capacities[class])
			wrong = give_lower(ns, class, ns->counts[class] - ns->rack->capacities[class] / 2);
		magazine_push(ns, class, object);
	}
	guard_leave();
	report_double_free(ns, wrong, ERROR);
}

/* Give the depot what is of draining slabs.  Returns one that was freed twice, or NULL. */
static void *
give_draining(JemctxNamespace *ns, uint32 class)
{
	uint16	   *count = &counts_of_handle(ns)->draining[class];
	void	   *wrong = NULL;

	if (*count > 0)
		wrong = give(ns, class, ns->rack->draining[class], *count);
	*count = 0;
	return wrong;
}

/* Give the depot an object of a draining slab, with others; alone if the process may keep none. */
void
magazine_drain(JemctxNamespace *ns, uint32 class, void *object)
{
	uint16	   *count = &counts_of_handle(ns)->draining[class];
	void	   *wrong = NULL;

	guard_enter();
	ns->rack->draining[class][(*count)++] = object;
	if (*count >= Min(DRAINING_OBJECTS, ns->rack->capacities[class] / 2))
		wrong = give_draining(ns, class);
	guard_leave();
	report_double_free(ns, wrong, ERROR);
}

/* Does this process keep an object, as free?  The one allocated last is not. */
bool
magazine_has(JemctxNamespace *ns, uint32 class, void *object)
{
	return object != ns->last &&
		(is_among(objects_of(ns, class), ns->counts[class], object) ||
		 is_among(ns->rack->draining[class], counts_of_handle(ns)->draining[class], object));
}

/* Give all of a class back, and the right to have it. */
static void
flush_class(JemctxNamespace *ns, uint32 class)
{
	uint16	   *capacity = &ns->rack->capacities[class];
	void	   *wrong = NULL;
	void	   *draining_wrong;

	guard_enter();
	if (ns->counts[class] > 0)
		wrong = give_lower(ns, class, ns->counts[class]);
	draining_wrong = give_draining(ns, class);
	if (*capacity > 0)
		depot_release(ns->space, ns->edition, class, (Size) *capacity * size_classes[class].size);
	*capacity = 0;
	guard_leave();
	report_double_free(ns, wrong, WARNING);
	report_double_free(ns, draining_wrong, WARNING);
}

/* The process may end in magazine_forget_last(), which has removed the object already then. */
static void
forget_last_at_most_once(JemctxNamespace *ns)
{
	int			count = ns->counts[ns->last_class];

	if (count == 0 || *magazine_top(ns, ns->last_class, count) != ns->last)
		ns->last = NULL;
	magazine_forget_last(ns);
}

/* Give everything in the magazines back. */
static void
flush(JemctxNamespace *ns)
{
	pg_atomic_write_u32(&counts_of_handle(ns)->flush_wanted, 0);
	if (!magazine_is_current(ns))
		return;
	if (ns->last != NULL)
		forget_last_at_most_once(ns);
	for (int class = 0; class < SIZES_COUNT; class++)
		flush_class(ns, class);
}

/* Do so if the keeper has asked for it. */
void
magazine_flush_wanted(JemctxNamespace *ns)
{
	if (unlikely(pg_atomic_read_u32(&counts_of_handle(ns)->flush_wanted) != 0))
		flush(ns);
}

void
magazine_flush_all(void)
{
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (handles[slot] != NULL)
			flush(handles[slot]);
	}
}

/* Have this process not count what it allocated last as free. */
void
magazine_forget_last_of(int slot)
{
	if (handles[slot] != NULL && magazine_is_current(handles[slot]))
		magazine_forget_last(handles[slot]);
}
