/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  Background workers that are registered, and parallel ones' leaders.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_WORKER_H
#define JEMCTX_WORKER_H

#include "postgres.h"

extern bool worker_is_registered(const char *name);
extern bool worker_leader_serves_nobody(void);

#endif							/* JEMCTX_WORKER_H */
