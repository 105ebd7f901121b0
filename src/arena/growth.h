/*-------------------------------------------------------------------------
 *
 * growth.h
 *	  A process that grows returns first what it keeps.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_GROWTH_H
#define JEMCTX_GROWTH_H

#include "postgres.h"

extern bool growth_admits(Size bytes, Size kept);
extern bool growth_is_at_ease(Size more);
extern bool growth_was_refused(void);
extern void growth_return_first(void);
extern void growth_admit_all(bool all);
extern void growth_set_ease(Size bytes);
extern void growth_be_strict(bool strict);

#endif							/* JEMCTX_GROWTH_H */
