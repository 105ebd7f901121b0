/*-------------------------------------------------------------------------
 *
 * idle.h
 *	  What a backend does with its unused memory while its client is silent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_IDLE_H
#define JEMCTX_IDLE_H

extern void idle_enter(void);

#endif							/* JEMCTX_IDLE_H */
