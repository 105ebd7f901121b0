/*-------------------------------------------------------------------------
 *
 * caller.h
 *	  Who asks for memory, by the address that malloc returns to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CALLER_H
#define JEMCTX_CALLER_H

#include "postgres.h"

extern void caller_enter(void);
extern bool caller_is_postgres(const void *address);
extern bool caller_is_ours(const void *address);
extern const char *caller_library(const void *address);
extern bool caller_is_libc(const void *address);
extern bool caller_copes(const void *address);
extern void caller_python_starts(void);

#endif							/* JEMCTX_CALLER_H */
