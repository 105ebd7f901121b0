/*-------------------------------------------------------------------------
 *
 * enter.h
 *	  Contexts begin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_CONTEXT_ENTER_H
#define JEMCTX_CONTEXT_ENTER_H

#include "postgres.h"

extern void context_enter(void);

#endif							/* JEMCTX_CONTEXT_ENTER_H */
