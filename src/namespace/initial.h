/*-------------------------------------------------------------------------
 *
 * initial.h
 *	  The namespaces that are made when the server starts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_INITIAL_H
#define JEMCTX_INITIAL_H

#include "postgres.h"

extern void initial_enter(void);
extern int	initial_count(void);
extern void initial_rewind(void);
extern bool initial_next(const char **name, Size *size_limit);

#endif							/* JEMCTX_INITIAL_H */
