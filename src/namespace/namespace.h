/*-------------------------------------------------------------------------
 *
 * namespace.h
 *	  Namespaces: data that all processes share, in arenas of its own.
 *
 * jemctx.h has what extensions call.  This is for the other rooms.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_NAMESPACE_H
#define JEMCTX_NAMESPACE_H

#include "jemctx.h"

#include "shared/control.h"

/* Give back what this process keeps, as it is idle.  Never waits or raises errors. */
extern void namespace_idle(void);

/* Have the keeper return all unused memory to the system; how many bytes. */
extern Size namespace_purge(void);

/* The region of all namespaces; 0 bytes and NULL if there is none. */
extern Size namespace_region_size(void);
extern void *namespace_region_address(void);

/* Does this server have namespaces?  False while they cannot be had. */
extern bool namespace_exist(void);

/* Inside the room */
extern void namespace_reset(JemctxNamespace *ns);

#endif							/* JEMCTX_NAMESPACE_H */
