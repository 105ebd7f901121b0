/*-------------------------------------------------------------------------
 *
 * guard.h
 *	  Changes that the end of this process must not leave half done.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_GUARD_H
#define JEMCTX_GUARD_H

#include "postgres.h"

/* Between these, which may be nested, no signal ends the process in its handler. */
extern void guard_enter(void);
extern void guard_leave(void);

/* Between these, shared data is not what it should be. */
extern void guard_change(void);
extern void guard_changed(void);

/* Is this process, which ends, between them nevertheless? */
extern bool guard_is_broken(void);

#endif							/* JEMCTX_GUARD_H */
