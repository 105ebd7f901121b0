/*-------------------------------------------------------------------------
 *
 * probe.h
 *	  Try how PostgreSQL finds the methods of chunks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_PROBE_H
#define JEMCTX_PROBE_H

#include "postgres.h"

extern const char *probe_rows(void);
extern const char *probe_caught(bool (*attempt) (void));

#endif							/* JEMCTX_PROBE_H */
