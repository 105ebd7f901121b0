/*-------------------------------------------------------------------------
 *
 * mallctl.h
 *	  jemalloc's control tree with types; see the MALLCTL NAMESPACE section
 *	  of jemalloc(3) for the names.
 *
 * A node that jemalloc does not know, or refuses, is an ERROR naming it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MALLCTL_H
#define JEMCTX_MALLCTL_H

#include "postgres.h"

#include "jemalloc/jemalloc.h"

/* The name of an arena's node: put arena in for the %u of format.  Static. */
extern const char *mallctl_arena(const char *format, unsigned arena);

extern void mallctl_call(const char *name, void *oldp, size_t oldlen,
						 void *newp, size_t newlen);

#define MALLCTL_GETTER(suffix, type) \
static inline type \
mallctl_##suffix(const char *name) \
{ \
	type		value; \
 \
	mallctl_call(name, &value, sizeof(value), NULL, 0); \
	return value; \
}

MALLCTL_GETTER(bool, bool)
MALLCTL_GETTER(unsigned, unsigned)
MALLCTL_GETTER(uint32, uint32)
MALLCTL_GETTER(uint64, uint64)
MALLCTL_GETTER(size, size_t)
MALLCTL_GETTER(string, const char *)

#define MALLCTL_SETTER(suffix, type) \
static inline void \
mallctl_set_##suffix(const char *name, type value) \
{ \
	mallctl_call(name, NULL, 0, &value, sizeof(value)); \
}

MALLCTL_SETTER(bool, bool)
MALLCTL_SETTER(uint64, uint64)
MALLCTL_SETTER(string, const char *)
MALLCTL_SETTER(pointer, void *)

/* A node that does something when it is called. */
static inline void
mallctl_act(const char *name)
{
	mallctl_call(name, NULL, 0, NULL, 0);
}

/* The arena that an object of jemalloc's belongs to; crashes on any other pointer. */
extern unsigned mallctl_lookup(const void *object);

/*
 * Make an arena whose extents, but not jemalloc's own data about them, come
 * from hooks.  Returns its number, or -1 when jemalloc cannot make it.
 */
extern int	mallctl_create_arena(extent_hooks_t *hooks);

/* The most that the thread has allocated beyond what it had at the last call; 0 if nobody knows. */
extern uint64 mallctl_take_peak(void);

/* Write jemalloc's report, with the options of malloc_stats_print(), piece by piece. */
extern void mallctl_report(void (*write) (void *, const char *), void *place, const char *opts);

/* Bring the statistics up to date; they stand still until the next call. */
static inline void
mallctl_refresh(void)
{
	mallctl_set_uint64("epoch", 1);
}

#endif							/* JEMCTX_MALLCTL_H */
