/*-------------------------------------------------------------------------
 *
 * relief.h
 *	  What is done when memory is short.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_RELIEF_H
#define JEMCTX_RELIEF_H

extern void relief_enter(void);

#endif							/* JEMCTX_RELIEF_H */
