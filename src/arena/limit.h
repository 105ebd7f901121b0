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

/* Settings, in kB; 0 for none. */
extern int	backend_memory_limit;
extern int	server_memory_limit;

extern void limit_enter(void);
extern void limit_explain(const char *holder, Size held, Size asked, Size limit, const char *advice);
extern bool limit_admits(Size bytes);
extern bool limit_admits_namespace(Size bytes);
extern bool limit_refused(void);
extern void limit_enforced(void);
extern void limit_forget(void);
extern void limit_retry(void);
extern bool limit_server_was_full(void);
extern bool limit_is_near(void);
extern bool limit_is_near_for_all(void);

#endif							/* JEMCTX_LIMIT_H */
