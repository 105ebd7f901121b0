/*-------------------------------------------------------------------------
 *
 * reload.h
 *	  Idle backends take note of a reload.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_RELOAD_H
#define JEMCTX_RELOAD_H

extern void reload_enter(void);
extern void reload_take_note(void);

#endif							/* JEMCTX_RELOAD_H */
