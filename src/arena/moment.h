/*-------------------------------------------------------------------------
 *
 * moment.h
 *	  Whether an error could be raised here and now.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MOMENT_H
#define JEMCTX_MOMENT_H

#include "postgres.h"

extern void moment_enter(void);
extern bool moment_in_main_thread(void);
extern const char *moment_objection(Size bytes);
extern const char *moment_objection_at_interrupt(void);

#endif							/* JEMCTX_MOMENT_H */
