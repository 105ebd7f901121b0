/*-------------------------------------------------------------------------
 *
 * enter.h
 *	  Get jemalloc into the server.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_JEMALLOC_ENTER_H
#define JEMCTX_JEMALLOC_ENTER_H

extern void jemalloc_enter(void);

#endif							/* JEMCTX_JEMALLOC_ENTER_H */
