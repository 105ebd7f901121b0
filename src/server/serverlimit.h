/*-------------------------------------------------------------------------
 *
 * serverlimit.h
 *	  The limit of the whole server, and what of it is reserved.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_SERVERLIMIT_H
#define JEMCTX_SERVERLIMIT_H

#include "postgres.h"

/* In kB; SERVERLIMIT_NONE for none, SERVERLIMIT_AUTOMATIC for what the machine has. */
extern int	server_memory_limit;

#define SERVERLIMIT_NONE 0
#define SERVERLIMIT_AUTOMATIC (-1)

extern void serverlimit_enter(void);
extern Size serverlimit_reserve_of(Size memory);
extern Size serverlimit_kept_of(Size memory);

/* Is there a limit to the sum of what is committed? */
static inline bool
serverlimit_is_counted(void)
{
	return server_memory_limit > 0;
}

static inline bool
serverlimit_is_automatic(void)
{
	return server_memory_limit == SERVERLIMIT_AUTOMATIC;
}

/* The limit in bytes, if it is counted. */
static inline Size
serverlimit_bytes(void)
{
	return (Size) server_memory_limit * 1024;
}

#endif							/* JEMCTX_SERVERLIMIT_H */
