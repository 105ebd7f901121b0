/*-------------------------------------------------------------------------
 *
 * hooks.h
 *	  Where the arenas' memory comes from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_HOOKS_H
#define JEMCTX_HOOKS_H

#include "arena/arena.h"

extern void hooks_enter(void);
extern const extent_hooks_t *hooks_get(void);
extern bool hooks_map_again(void *pages, size_t size);
extern void hooks_allow_growth(bool allow);

#endif							/* JEMCTX_HOOKS_H */
