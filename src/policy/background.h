/*-------------------------------------------------------------------------
 *
 * background.h
 *	  What processes without a client do with their unused memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_BACKGROUND_H
#define JEMCTX_BACKGROUND_H

extern void background_enter(void);

#endif							/* JEMCTX_BACKGROUND_H */
