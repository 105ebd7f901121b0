/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  What processes without a client do with their unused memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_WORKER_H
#define JEMCTX_WORKER_H

extern void worker_enter(void);

#endif							/* JEMCTX_WORKER_H */
