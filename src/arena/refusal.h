/*-------------------------------------------------------------------------
 *
 * refusal.h
 *	  When memory may be refused to this process.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REFUSAL_H
#define JEMCTX_REFUSAL_H

#include "postgres.h"

extern bool refusal_is_safe(void);

#endif							/* JEMCTX_REFUSAL_H */
