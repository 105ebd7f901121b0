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

#include "namespace/magazine.h"
#include "namespace/namespace.h"
#include "namespace/region.h"
#include "namespace/request.h"

/* Of a magazine at first. */
#define FIRST_CAPACITY 8

static PaddedShelf *shelves;

/* The handles of this process, by slot; those of dropped namespaces are left alone. */
static JemctxNamespace *handles[NAMESPACE_SLOTS];
static bool attached;

/* In the postmaster: map the shelves, or empty them after a crash. */
bool
magazine_map(void)
{
	Size		bytes = (Size) shared_processes() * NAMESPACE_SLOTS * sizeof(PaddedShelf);

	if (shelves != NULL)
		region_wipe(shelves, bytes);
	else
		shelves = region_map(bytes);
	return shelves != NULL;
}

Shelf *
magazine_shelf(int process, int slot)
{
	return &shelves[process * NAMESPACE_SLOTS + slot].shelf;
}

/* The process ends: leave nothing behind. */
static void
detach(int code, Datum arg)
{
	/* a half-done change of what others use, too: the server must start over */
	if (depot_is_inside())
		_exit(2);
	request_cancel();
	magazine_flush_all();
	memset(handles, 0, sizeof(handles));
	attached = false;
}

/* Leave exact counts, and nothing in magazines if the keeper has asked for it. */
static void
end_transaction(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT)
		return;
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		magazine_settle_slot(slot);
		if (handles[slot] != NULL && pg_atomic_read_u32(&handles[slot]->shelf->flush_wanted))
			magazine_flush(handles[slot]);
	}
}

static void
attach(void)
{
	if (attached)
		return;
	before_shmem_exit(detach, 0);
	RegisterXactCallback(end_transaction, NULL);
	attached = true;
}

/* Begin with empty magazines. */
static void
start_over(JemctxNamespace *ns, uint64 life)
{
	ns->life = life;
	ns->owner = namespace_owner(ns->space, life);
	ns->last = NULL;
	for (int class = 0; class < SIZES_COUNT; class++)
	{
		ns->capacities[class] = 0;
		ns->counts[class] = 0;
		ns->shelf->returning[class] = 0;
	}
	pg_atomic_write_u32(&ns->shelf->flush_wanted, 0);
	pg_atomic_write_u64(&ns->shelf->life, life);
}

static JemctxNamespace *
make_handle(Namespace *space)
{
	JemctxNamespace *ns = MemoryContextAlloc(TopMemoryContext, sizeof(JemctxNamespace));

	ns->space = space;
	ns->shelf = magazine_shelf(MyProc->pgprocno, space->slot);
	ns->counts = ns->shelf->counts;
	strlcpy(ns->name, space->name, NAMEDATALEN);
	return ns;
}

/*
 * This process's handle of a namespace, which must not be dropped meanwhile:
 * the caller has the control lock.
 */
JemctxNamespace *
magazine_handle(Namespace *space)
{
	JemctxNamespace *ns = handles[space->slot];
	uint64		life = pg_atomic_read_u64(&space->life);

	if (ns != NULL && LIFE_GENERATION(ns->life) == LIFE_GENERATION(life))
		return ns;
	attach();
	ns = make_handle(space);
	start_over(ns, life);
	handles[space->slot] = ns;
	return ns;
}

/* The namespace is not what it was: dropped, which is an ERROR, or reset. */
void pg_noinline
magazine_renew(JemctxNamespace *ns)
{
	uint64		life = pg_atomic_read_u64(&ns->space->life);

	if (LIFE_GENERATION(life) != LIFE_GENERATION(ns->life))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("namespace \"%s\" was dropped", ns->name),
				 errhint("Find or create it again; what was in it is gone.")));
	start_over(ns, life);
}

static void
grow(JemctxNamespace *ns, uint32 class)
{
	const SizeClass *size = &size_classes[class];
	int			capacity = ns->capacities[class];
	int			larger = Min(size->cache, Max(FIRST_CAPACITY, 2 * capacity));

	/* a process that has given all back, as it ends, must keep nothing more */
	if (attached && larger > capacity &&
		depot_reserve(ns->space, ns->life, class, (Size) (larger - capacity) * size->size))
		ns->capacities[class] = larger;
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

	grow(ns, class);
	count = depot_take(ns->space, ns->life, class, ns->magazines[class],
					   Max(1, ns->capacities[class] / 2));
	if (count > 0)
		ns->counts[class] = count;
	return count;
}

/*
 * Give the lower objects of a magazine back.  Returns one that could not be
 * given, because it was in its slab already, or NULL.
 */
static void *
give_lower(JemctxNamespace *ns, uint32 class, int count)
{
	void	  **objects = ns->magazines[class];
	int			left = ns->counts[class] - count;
	void	   *wrong = NULL;

	if (depot_give(ns->space, ns->life, class, objects, count, &wrong) == DEPOT_STALE)
		return NULL;			/* the next use finds out */
	memmove(objects, objects + count, left * sizeof(void *));
	ns->counts[class] = left;
	return wrong;
}

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

	grow(ns, class);
	if (ns->capacities[class] == 0)
		depot_give(ns->space, ns->life, class, &object, 1, &wrong);
	else
	{
		if (ns->counts[class] >= ns->capacities[class])
			wrong = give_lower(ns, class, ns->counts[class] - ns->capacities[class] / 2);
		magazine_put(ns, class, object);
	}
	report_double_free(ns, wrong, ERROR);
}

/* Give what is to be returned back.  Returns one that could not be given, or NULL. */
static void *
give_returning(JemctxNamespace *ns, uint32 class)
{
	int			count = ns->shelf->returning[class];
	void	   *wrong = NULL;

	if (count == 0)
		return NULL;
	ns->shelf->returning[class] = 0;
	depot_give(ns->space, ns->life, class, ns->returning[class], count, &wrong);
	return wrong;
}

/* Return an object, with others; at once if this process may keep none. */
void
magazine_return(JemctxNamespace *ns, uint32 class, void *object)
{
	void	   *wrong = NULL;

	ns->returning[class][ns->shelf->returning[class]++] = object;
	if (ns->shelf->returning[class] >= Min(RETURNED_OBJECTS, ns->capacities[class] / 2))
		wrong = give_returning(ns, class);
	report_double_free(ns, wrong, ERROR);
}

/* Give everything in the magazines back, and the right to have it. */
void
magazine_flush(JemctxNamespace *ns)
{
	pg_atomic_write_u32(&ns->shelf->flush_wanted, 0);
	if (!magazine_is_current(ns))
		return;
	magazine_settle(ns);
	for (int class = 0; class < SIZES_COUNT; class++)
	{
		if (ns->counts[class] > 0)
			report_double_free(ns, give_lower(ns, class, ns->counts[class]), WARNING);
		report_double_free(ns, give_returning(ns, class), WARNING);
		if (ns->capacities[class] > 0)
			depot_release(ns->space, ns->life, class, (Size) ns->capacities[class] * size_classes[class].size);
		ns->capacities[class] = 0;
	}
}

void
magazine_flush_all(void)
{
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (handles[slot] != NULL)
			magazine_flush(handles[slot]);
	}
}

/* Have this process's shelf not count what it allocated last as free. */
void
magazine_settle_slot(int slot)
{
	if (handles[slot] != NULL)
		magazine_settle(handles[slot]);
}
