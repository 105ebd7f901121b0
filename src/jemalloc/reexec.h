/*-------------------------------------------------------------------------
 *
 * reexec.h
 *	  The postmaster executes itself again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REEXEC_H
#define JEMCTX_REEXEC_H

#include "postgres.h"

extern void reexec_try(void);
extern _Noreturn void reexec_postmaster(void);

#endif							/* JEMCTX_REEXEC_H */
