/*-------------------------------------------------------------------------
 *
 * magazine.h
 *	  A process's free objects of a namespace.
 *
 * A process has a magazine for each size class of a namespace, a stack of free
 * objects that only this process uses, and beside it those that are not to be
 * used again but given to the depot, as their slabs are draining (depot.c).
 * How many there are in each is in its counts, in shared memory (counts.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MAGAZINE_H
#define JEMCTX_MAGAZINE_H

#include "jemctx.h"

#include <signal.h>

#include "shared/counts.h"
#include "shared/depot.h"
#include "shared/failpoint.h"

/* Objects of draining slabs that are given to the depot together. */
#define DRAINING_OBJECTS 32

/* Free objects of the namespaces that have a slot one after the other. */
typedef struct Rack
{
	uint16		capacities[SIZES_COUNT];	/* of magazines; reserved in the depot */
	void	   *places[1 + SIZES_COUNT * SIZES_CACHE];	/* magazines; below each is a place */
	void	   *draining[SIZES_COUNT][DRAINING_OBJECTS];
} Rack;

/*
 * A process's handle of a namespace.  It stays what it is when the namespace
 * is dropped, and for good, since somebody may have it: so it is small.  The
 * next namespace in the slot has another handle, and the same rack.
 */
struct JemctxNamespace
{
	Namespace  *space;
	uint64		edition;		/* of the contents that the magazines are from */
	uint16	   *counts;			/* Counts.cached */
	Rack	   *rack;

	/*
	 * The object that was allocated last, unless it was freed since.  It lies in its magazine as
	 * if it were free, for it is often the next to be freed, and then nothing need be written to
	 * magazine and counts.
	 */
	void	   *last;
	uint32		last_class;

	uint8		owner;			/* in the tags of that edition's pages */
	char		name[FLEXIBLE_ARRAY_MEMBER];
};

extern void magazine_enter(void);
extern JemctxNamespace *magazine_known_handle(Namespace *space, uint64 edition);
extern JemctxNamespace *magazine_new_handle(const char *name, int flags);
extern JemctxNamespace *magazine_handle(Namespace *space, uint64 edition, JemctxNamespace *ns);
extern JemctxNamespace *magazine_borrow(Namespace *space, uint64 edition);
extern void magazine_renew(JemctxNamespace *ns);
extern int	magazine_fill(JemctxNamespace *ns, uint32 class);
extern void magazine_empty_half(JemctxNamespace *ns, uint32 class, void *object);
extern void magazine_drain(JemctxNamespace *ns, uint32 class, void *object);
extern bool magazine_has(JemctxNamespace *ns, uint32 class, void *object);
extern void magazine_flush_wanted(JemctxNamespace *ns);
extern void magazine_flush_all(void);
extern void magazine_forget_last_of(int slot);

static inline bool
magazine_is_current(const JemctxNamespace *ns)
{
	return likely(pg_atomic_read_u64(&ns->space->edition) == ns->edition);
}

/* Raises an ERROR if the namespace was dropped; takes note of a reset. */
static inline void
magazine_check(JemctxNamespace *ns)
{
	if (!magazine_is_current(ns))
		magazine_renew(ns);
}

/* Where the last of count objects in a magazine is. */
static inline void **
magazine_top(JemctxNamespace *ns, Size class, Size count)
{
	return &ns->rack->places[class * SIZES_CACHE + count];
}

/*
 * A signal may end the process between any two instructions, and what is in
 * its magazines then returns to the depot: so an object is counted only while it is
 * there, and never while it is in use.  The barriers keep the compiler to that.
 */

/* Remove the object allocated last from its magazine, before any other change. */
static inline void
magazine_forget_last(JemctxNamespace *ns)
{
	if (ns->last != NULL)
	{
		ns->counts[ns->last_class]--;
		pg_compiler_barrier();
		if (ns->counts[ns->last_class] == 0 && failpoint_is_due(TERM_IN_SETTLE))
			(void) raise(SIGTERM);
		ns->last = NULL;
	}
}

/* Take a free object of the class; false if the magazine is empty. */
static inline bool
magazine_take(JemctxNamespace *ns, Size class, void **object)
{
	Size		count;

	magazine_forget_last(ns);
	count = ns->counts[class];
	if (unlikely(count == 0))
		return false;
	ns->last_class = class;
	pg_compiler_barrier();
	*object = ns->last = *magazine_top(ns, class, count);
	return true;
}

/* Put an object into a magazine that has room. */
static inline void
magazine_push(JemctxNamespace *ns, Size class, void *object)
{
	uint16	   *count = &ns->counts[class];

	magazine_top(ns, class, *count)[1] = object;
	pg_compiler_barrier();
	(*count)++;
}

/*
 * False if the magazine is full, or the object seems to be on top of it, freed
 * a moment ago: in an empty one, what is below it may look so.
 */
static inline bool
magazine_put(JemctxNamespace *ns, Size class, void *object)
{
	Size		count;

	magazine_forget_last(ns);
	count = ns->counts[class];
	if (unlikely(count >= ns->rack->capacities[class]) ||
		unlikely(*magazine_top(ns, class, count) == object))
		return false;
	magazine_push(ns, class, object);
	return true;
}

#endif							/* JEMCTX_MAGAZINE_H */
