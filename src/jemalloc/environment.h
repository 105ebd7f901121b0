/*-------------------------------------------------------------------------
 *
 * environment.h
 *	  Environment variables that reach the re-executed postmaster and go no
 *	  further.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_ENVIRONMENT_H
#define JEMCTX_ENVIRONMENT_H

#include "postgres.h"

extern bool environment_is_ours(void);
extern void environment_extend(const char *name, char separator,
							   const char *first, const char *last);
extern const char *environment_original(const char *name);
extern void environment_mark(void);
extern void environment_restore(void);

#endif							/* JEMCTX_ENVIRONMENT_H */
