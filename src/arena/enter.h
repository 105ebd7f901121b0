/*-------------------------------------------------------------------------
 *
 * enter.h
 *	  The room of this process's arenas is entered.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_ARENA_ENTER_H
#define JEMCTX_ARENA_ENTER_H

extern void arena_enter(void);

#endif							/* JEMCTX_ARENA_ENTER_H */
