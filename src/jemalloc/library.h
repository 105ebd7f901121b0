/*-------------------------------------------------------------------------
 *
 * library.h
 *	  Find a jemalloc library and check that it is one we can use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_LIBRARY_H
#define JEMCTX_LIBRARY_H

#include "postgres.h"

#include "jemalloc/trial.h"

extern bool library_present(void);
extern bool library_open(const char *name, const char **reason);
extern void library_probe(const char *name);
extern bool library_try(const char *name, Trial *trial);
extern void library_check(void);
extern void library_advise(void);

#endif							/* JEMCTX_LIBRARY_H */
