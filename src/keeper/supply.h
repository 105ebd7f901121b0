/*-------------------------------------------------------------------------
 *
 * supply.h
 *	  How many slabs the keeper has ready, and what it takes back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_SUPPLY_H
#define JEMCTX_SUPPLY_H

#include "keeper/extents.h"
#include "shared/control.h"

extern ExtentsResult supply_slabs(Namespace *space, SlabKind kind, bool repeated);
extern ExtentsResult supply_large(Namespace *space, Size pages, void **object, bool *clean);
extern bool supply_ahead(void);
extern bool supply_trim(void);
extern Size supply_squeeze(Namespace *space);
extern bool supply_tick(void);

#endif							/* JEMCTX_SUPPLY_H */
