/*-------------------------------------------------------------------------
 *
 * allocate.h
 *	  Allocate and free objects of a namespace.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_ALLOCATE_H
#define JEMCTX_ALLOCATE_H

#include "jemctx.h"

#include "compat/methods.h"

extern void namespace_free_chunk(JemctxNamespace *ns, void *chunk, ChunkOwner *header,
								 ChunkOwner freed);
extern void namespace_explain(JemctxNamespace *ns, Size size);

#endif							/* JEMCTX_ALLOCATE_H */
