/*-------------------------------------------------------------------------
 *
 * namespace.c
 *	  Namespaces: their names, limits and roots.
 *
 * A namespace has a slot in shared memory from its creation to its drop.
 * Nothing of this is part of a transaction: like an advisory lock's or a
 * sequence's, a change stays when the transaction that made it fails.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "arena/account.h"
#include "namespace/initial.h"
#include "namespace/keeper.h"
#include "namespace/magazine.h"
#include "namespace/namespace.h"
#include "namespace/region.h"
#include "namespace/request.h"

#define DEFAULT_MEMORY (1024 * 1024)
#define MAX_MEMORY INT_MAX

static void
check_name(const char *name)
{
	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid name of a namespace: \"%s\"", name),
				 errdetail("It must have from 1 to %d bytes.", NAMEDATALEN - 1)));
}

/* The slot with a name, or NULL.  The caller has the control lock. */
static Namespace *
find_slot(const char *name)
{
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		Namespace  *space = &control->slots[slot];

		if (space->in_use && strcmp(space->name, name) == 0)
			return space;
	}
	return NULL;
}

static Namespace *
find_free_slot(void)
{
	for (int slot = 0; slot < NAMESPACE_SLOTS; slot++)
	{
		if (!control->slots[slot].in_use)
			return &control->slots[slot];
	}
	return NULL;
}

/* Returns NULL when all slots are in use.  The caller has the control lock. */
static Namespace *
take_slot(const char *name, Size size_limit)
{
	Namespace  *space = find_free_slot();

	if (space == NULL)
		return NULL;
	strlcpy(space->name, name, NAMEDATALEN);
	space->created_at = GetCurrentTimestamp();
	pg_atomic_write_u64(&space->limit, size_limit);
	pg_atomic_write_u64(&space->refused, 0);
	space->in_use = true;
	return space;
}

/* In the keeper, which drops it: nobody finds it from now on. */
void
namespace_hide(Namespace *space)
{
	LWLockAcquire(&control->lock, LW_EXCLUSIVE);
	space->name[0] = '\0';
	LWLockRelease(&control->lock);
}

/* Its slot, which is empty now, may be used for another. */
void
namespace_release(Namespace *space)
{
	LWLockAcquire(&control->lock, LW_EXCLUSIVE);
	space->in_use = false;
	LWLockRelease(&control->lock);
}

JemctxNamespace *
jemctx_namespace_create(const char *name, Size size_limit)
{
	JemctxNamespace *ns;
	bool		exists;
	Namespace  *space = NULL;

	shared_require();
	check_name(name);
	LWLockAcquire(&control->lock, LW_EXCLUSIVE);
	exists = find_slot(name) != NULL;
	if (!exists)
		space = take_slot(name, size_limit);
	ns = space ? magazine_handle(space) : NULL;
	LWLockRelease(&control->lock);
	if (exists)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("namespace \"%s\" already exists", name)));
	if (ns == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot create namespace \"%s\"", name),
				 errdetail("There are %d namespaces, as many as there can be.", NAMESPACE_SLOTS),
				 errhint("Drop one with jemctx_namespace_drop().")));
	return ns;
}

JemctxNamespace *
jemctx_namespace_find(const char *name, bool missing_ok)
{
	Namespace  *space;
	JemctxNamespace *ns;

	shared_require();
	LWLockAcquire(&control->lock, LW_SHARED);
	space = find_slot(name);
	ns = space ? magazine_handle(space) : NULL;
	LWLockRelease(&control->lock);
	if (ns == NULL && !missing_ok)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("namespace \"%s\" does not exist", name)));
	return ns;
}

/* Have the keeper empty or drop it.  Somebody else may have, meanwhile: that is as good. */
static void
clear(const char *name, bool drop)
{
	JemctxNamespace *ns = jemctx_namespace_find(name, false);

	request_reset(ns->space, pg_atomic_read_u64(&ns->space->life), drop);
}

void
jemctx_namespace_drop(const char *name)
{
	clear(name, true);
}

void
jemctx_namespace_reset(const char *name)
{
	clear(name, false);
}

void
jemctx_namespace_set_limit(JemctxNamespace *ns, Size size_limit)
{
	magazine_check(ns);
	pg_atomic_write_u64(&ns->space->limit, size_limit);
}

Size
jemctx_namespace_limit(JemctxNamespace *ns)
{
	magazine_check(ns);
	return pg_atomic_read_u64(&ns->space->limit);
}

/* Bytes that the namespace may hold at most. */
uint64
namespace_limit(Namespace *space)
{
	uint64		limit = pg_atomic_read_u64(&space->limit);

	return limit > 0 ? Min(limit, region_size()) : region_size();
}

/* What the root points to must be complete before others see it. */
void
jemctx_namespace_set_root(JemctxNamespace *ns, void *root)
{
	magazine_check(ns);
	pg_write_barrier();
	pg_atomic_write_u64(&ns->space->root, (uintptr_t) root);
}

void *
jemctx_namespace_root(JemctxNamespace *ns)
{
	void	   *root;

	magazine_check(ns);
	root = (void *) (uintptr_t) pg_atomic_read_u64(&ns->space->root);
	pg_read_barrier();
	return root;
}

/* In the postmaster, once shared memory is there: the namespaces of the setting. */
void
namespace_start(void)
{
	const char *name;
	Size		size_limit;

	namespace_context_start();
	initial_rewind();
	while (initial_next(&name, &size_limit))
		take_slot(name, size_limit);
}

Size
namespace_region_size(void)
{
	return namespace_exist() ? region_size() : 0;
}

void *
namespace_region_address(void)
{
	return namespace_exist() ? region_base : NULL;
}

bool
namespace_exist(void)
{
	return control != NULL && MyProc != NULL && pg_atomic_read_u32(&control->state) == KEEPER_RUNNING;
}

void
namespace_idle(void)
{
	if (control != NULL && MyProc != NULL)
		magazine_flush_all();
}

Size
namespace_purge(void)
{
	namespace_idle();
	return namespace_exist() ? request_purge() : 0;
}

Size
namespace_total_committed(void)
{
	return control != NULL ? pg_atomic_read_u64(&control->committed) : 0;
}

/* In the postmaster, after context_enter(). */
void
namespace_enter(void)
{
	DefineCustomIntVariable("jemctx.namespace_memory",
							"Sets the size of the shared region that namespaces have their memory from.",
							"It is address space, and takes memory as it is used. 0 is for no namespaces.",
							&namespace_memory, DEFAULT_MEMORY, 0, MAX_MEMORY,
							PGC_POSTMASTER, GUC_UNIT_KB, NULL, NULL, NULL);
	initial_enter();
	sizes_enter();
	if (namespace_memory > 0)
		keeper_register();
	shared_enter();
	account_namespaces = namespace_total_committed;
}
