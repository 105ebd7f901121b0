/*-------------------------------------------------------------------------
 *
 * demand.h
 *	  How much memory the recent statements of this process have needed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_DEMAND_H
#define JEMCTX_DEMAND_H

#include "postgres.h"

extern void demand_enter(void);
extern bool demand_counts(void);
extern bool demand_exceeded(void);

#endif							/* JEMCTX_DEMAND_H */
