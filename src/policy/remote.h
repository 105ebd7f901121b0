/*-------------------------------------------------------------------------
 *
 * remote.h
 *	  Purge other processes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_REMOTE_H
#define JEMCTX_REMOTE_H

#include "postgres.h"

extern bool remote_purge(int pid, Size *given);
extern Size remote_purge_all(void);
extern void remote_ask_all(void);

#endif							/* JEMCTX_REMOTE_H */
