/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  Background workers that are registered.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_WORKER_H
#define JEMCTX_WORKER_H

#include "postgres.h"

extern bool worker_is_registered(const char *name);

#endif							/* JEMCTX_WORKER_H */
