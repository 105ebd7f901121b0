/*-------------------------------------------------------------------------
 *
 * attempt.h
 *	  Try the types of contexts before anybody uses them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_ATTEMPT_H
#define JEMCTX_ATTEMPT_H

#include "postgres.h"

extern const char *attempt_contexts(void);

#endif							/* JEMCTX_ATTEMPT_H */
