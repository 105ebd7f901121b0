/*-------------------------------------------------------------------------
 *
 * runcheck.h
 *	  Are the runs as they must be?  In checking builds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_RUNCHECK_H
#define JEMCTX_RUNCHECK_H

#include "postgres.h"

#ifdef JEMCTX_CHECKING
extern int	runcheck_all(void);
#endif

#endif							/* JEMCTX_RUNCHECK_H */
