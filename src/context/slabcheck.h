/*-------------------------------------------------------------------------
 *
 * slabcheck.h
 *	  Are the slabs as they must be?  In checking builds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_SLABCHECK_H
#define JEMCTX_SLABCHECK_H

#include "postgres.h"

#ifdef JEMCTX_CHECKING
extern int	slabcheck_all(void);
#endif

#endif							/* JEMCTX_SLABCHECK_H */
