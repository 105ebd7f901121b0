/*-------------------------------------------------------------------------
 *
 * limit.h
 *	  How much memory a process, and the whole server, may hold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_LIMIT_H
#define JEMCTX_LIMIT_H

#include "postgres.h"

#include "server/serverlimit.h"

/* Setting, in kB; 0 for none. */
extern int	backend_memory_limit;

/* The same in bytes. */
static inline Size
limit_of_process(void)
{
	return (Size) backend_memory_limit * 1024;
}

extern void limit_enter(void);
extern bool limit_admits(Size bytes);
extern bool limit_admits_namespace(Size bytes);
extern bool limit_is_passed(void);
extern bool limit_is_near(void);
extern bool limit_is_near_for_all(void);

extern bool limit_claimed;
extern void limit_settle_claim(void);

static inline void
limit_settle(void)
{
	if (unlikely(limit_claimed))
		limit_settle_claim();
}

static inline bool
limit_in_force(void)
{
	return backend_memory_limit > 0 || server_memory_limit != SERVERLIMIT_NONE;
}

#endif							/* JEMCTX_LIMIT_H */
