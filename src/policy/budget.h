/*-------------------------------------------------------------------------
 *
 * budget.h
 *	  How much free memory all processes together keep.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_BUDGET_H
#define JEMCTX_BUDGET_H

#include "postgres.h"

#include "policy/registry.h"

extern void budget_enter(void);
extern Size budget_limit(void);
extern bool budget_is_due(Size kept, int64 now);
extern bool budget_exceeded(RegistryEntry *entry);

#endif							/* JEMCTX_BUDGET_H */
