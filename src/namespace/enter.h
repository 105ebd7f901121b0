/*-------------------------------------------------------------------------
 *
 * enter.h
 *	  Namespaces begin: their settings, their memory, and who there is at first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_NAMESPACE_ENTER_H
#define JEMCTX_NAMESPACE_ENTER_H

#include "postgres.h"

extern void namespace_enter(void);

#endif							/* JEMCTX_NAMESPACE_ENTER_H */
