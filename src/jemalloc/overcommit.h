/*-------------------------------------------------------------------------
 *
 * overcommit.h
 *	  Does the kernel overcommit, as jemalloc has it?
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_OVERCOMMIT_H
#define JEMCTX_OVERCOMMIT_H

#include "postgres.h"

/* Set in the postmaster, constant in its children. */
extern bool overcommit;

extern void overcommit_enter(void);

#endif							/* JEMCTX_OVERCOMMIT_H */
