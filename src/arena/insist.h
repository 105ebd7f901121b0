/*-------------------------------------------------------------------------
 *
 * insist.h
 *	  An allocation that has failed is tried again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_INSIST_H
#define JEMCTX_INSIST_H

#include "arena/leeway.h"

extern void *insist_on(const Attempt *attempt);

#endif							/* JEMCTX_INSIST_H */
