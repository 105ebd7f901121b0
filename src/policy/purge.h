/*-------------------------------------------------------------------------
 *
 * purge.h
 *	  Return this process's unused memory to the system, if that is worth it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_PURGE_H
#define JEMCTX_PURGE_H

#include "postgres.h"

extern Size purge_now(void);
extern void purge_at_rest(void);
extern void purge_in_statement(void);
extern void purge_expect_free(Size bytes);
extern bool purge_is_worth(Size least);

#endif							/* JEMCTX_PURGE_H */
