/*-------------------------------------------------------------------------
 *
 * dsm.h
 *	  PostgreSQL's dynamic shared memory, as parallel queries have it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_DSM_H
#define JEMCTX_DSM_H

#include "postgres.h"

extern Size dsm_size(void);

#endif							/* JEMCTX_DSM_H */
