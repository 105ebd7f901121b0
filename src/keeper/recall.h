/*-------------------------------------------------------------------------
 *
 * recall.h
 *	  Ask processes for what they keep of namespaces.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_RECALL_H
#define JEMCTX_RECALL_H

#include "shared/control.h"

extern bool recall_objects(const Namespace *space);
extern bool recall_tick(void);

#endif							/* JEMCTX_RECALL_H */
