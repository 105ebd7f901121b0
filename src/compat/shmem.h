/*-------------------------------------------------------------------------
 *
 * shmem.h
 *	  Parts of PostgreSQL's shared memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_SHMEM_H
#define JEMCTX_SHMEM_H

#include "postgres.h"

/*
 * In the postmaster, while it loads libraries: have a part of that name and
 * size, which init() fills in.  *place is where it is; NULL while there is no
 * shared memory, at first and between a crash and the next start.
 */
extern void shmem_add(const char *name, void **place, Size (*size) (void), void (*init) (void));

/*
 * In the postmaster, while it loads libraries: have a function called when all
 * of them are loaded, and again after a crash.
 */
extern void shmem_at_start(void (*function) (void));

#endif							/* JEMCTX_SHMEM_H */
