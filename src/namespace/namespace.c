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

#include "namespace/magazine.h"
#include "namespace/namespace.h"
#include "shared/directory.h"
#include "shared/region.h"
#include "shared/request.h"
#include "shared/stock.h"

static void
check_name(const char *name)
{
	if (!directory_name_is_valid(name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid name of a namespace: \"%s\"", name),
				 errdetail("It must have from 1 to %d characters, all of them printable ASCII.",
						   NAMEDATALEN - 1)));
}

static void
report_missing(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("namespace \"%s\" does not exist", name)));
}

/* Why there is no new namespace. */
static void
report_not_made(const char *name, bool exists)
{
	if (exists)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("namespace \"%s\" already exists", name)));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("cannot create namespace \"%s\"", name),
			 errdetail("There are %d namespaces, as many as there can be.", NAMESPACE_SLOTS),
			 errhint("Drop one with jemctx_namespace_drop().")));
}

/* A handle for a namespace to come. If a limit has been passed for it, the error is raised now. */
static JemctxNamespace *
prepare_handle(const char *name)
{
	JemctxNamespace *ns = magazine_new_handle(name, 0);

	PG_TRY();
	{
		CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		pfree(ns);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return ns;
}

/*
 * Make a namespace, or with may_exist use the one that is there.  What can
 * fail comes first: an ERROR means that none was made.
 */
static JemctxNamespace *
make(const char *name, Size size_limit, bool may_exist)
{
	JemctxNamespace *ns;
	Namespace  *space;
	uint64		edition;
	bool		exists;

	control_require();
	check_name(name);
	ns = prepare_handle(name);
	space = directory_add(name, size_limit, &edition, &exists);
	if (space != NULL && (may_exist || !exists))
		return magazine_handle(space, edition, ns);
	pfree(ns);
	report_not_made(name, exists);
	return NULL;				/* keep compiler quiet */
}

JemctxNamespace *
jemctx_namespace_create(const char *name, Size size_limit)
{
	return make(name, size_limit, false);
}

/* The handle of before, if this process has one. */
JemctxNamespace *
jemctx_namespace_find(const char *name, bool missing_ok)
{
	Namespace  *space;
	JemctxNamespace *ns;
	uint64		edition;

	control_require();
	space = directory_find(name, &edition);
	if (space == NULL)
	{
		if (!missing_ok)
			report_missing(name);
		return NULL;
	}
	ns = magazine_known_handle(space, edition);
	if (ns != NULL)
		magazine_flush_wanted(ns);
	return ns ? ns : magazine_handle(space, edition, magazine_new_handle(name, 0));
}

JemctxNamespace *
jemctx_namespace_find_or_create(const char *name, Size size_limit)
{
	JemctxNamespace *ns = jemctx_namespace_find(name, true);

	return ns ? ns : make(name, size_limit, true);
}

/*
 * Have the keeper empty or drop a namespace; false if it was dropped before.
 * If somebody else has emptied it since, that is as good for emptying it.
 */
static bool
clear(Namespace *space, uint64 edition, bool drop)
{
	return request_reset(space, edition, drop) ||
		(!drop && GENERATION(pg_atomic_read_u64(&space->edition)) == GENERATION(edition));
}

/*
 * The namespace that has the name when the keeper comes to it: as with a table
 * that is dropped, and made again, while one waits to drop it.
 */
static void
clear_by_name(const char *name, bool drop)
{
	Namespace  *space;
	uint64		edition;

	control_require();
	do
	{
		space = directory_find(name, &edition);
		if (space == NULL)
			report_missing(name);
	} while (!clear(space, edition, drop));
}

void
jemctx_namespace_drop(const char *name)
{
	clear_by_name(name, true);
}

void
jemctx_namespace_reset(const char *name)
{
	clear_by_name(name, false);
}

/* Empty the namespace of a handle, no other of its name. */
void
namespace_reset(JemctxNamespace *ns)
{
	magazine_check(ns);
	if (!clear(ns->space, ns->edition, false))
		magazine_check(ns);
}

/* Set a word of a namespace if it is still there. */
static void
set_word(JemctxNamespace *ns, pg_atomic_uint64 *word, uint64 value)
{
	do
		magazine_check(ns);
	while (!stock_set_word(ns->space, ns->edition, word, value));
}

/* Read one.  Its edition ends before it is another's. */
static uint64
get_word(JemctxNamespace *ns, pg_atomic_uint64 *word)
{
	uint64		value;

	magazine_flush_wanted(ns);
	do
	{
		magazine_check(ns);
		value = pg_atomic_read_u64(word);
		pg_read_barrier();
	} while (!magazine_is_current(ns));
	return value;
}

void
jemctx_namespace_set_limit(JemctxNamespace *ns, Size size_limit)
{
	set_word(ns, &ns->space->limit, size_limit);
}

Size
jemctx_namespace_limit(JemctxNamespace *ns)
{
	return get_word(ns, &ns->space->limit);
}

/* What the root points to must be complete before others see it: a lock sees to that. */
void
jemctx_namespace_set_root(JemctxNamespace *ns, void *root)
{
	set_word(ns, &ns->space->root, (uintptr_t) root);
}

void *
jemctx_namespace_root(JemctxNamespace *ns)
{
	return (void *) (uintptr_t) get_word(ns, &ns->space->root);
}

void
jemctx_namespace_flush(void)
{
	namespace_idle();
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
	return control != NULL && MyProc != NULL &&
		pg_atomic_read_u32(&control->state) == KEEPER_RUNNING;
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
