/*-------------------------------------------------------------------------
 *
 * request.h
 *	  Ask other processes to purge.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REQUEST_H
#define JEMCTX_REQUEST_H

#include "postgres.h"

extern bool request_purge(int pid, Size *given);
extern Size request_purge_all(void);

#endif							/* JEMCTX_REQUEST_H */
