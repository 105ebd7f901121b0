/*-------------------------------------------------------------------------
 *
 * mapping.h
 *	  Memory that all processes share, beside PostgreSQL's.
 *
 * Mapped in the postmaster, so at the same address in every process; it takes
 * no memory until it is touched, and is zero then.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MAPPING_H
#define JEMCTX_MAPPING_H

#include "postgres.h"

extern void *mapping_fresh(void *old, Size bytes, int file);

#endif							/* JEMCTX_MAPPING_H */
