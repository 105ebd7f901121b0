/*-------------------------------------------------------------------------
 *
 * jemalloc.h
 *	  The jemalloc library that this server runs on.
 *
 * The module is not linked to jemalloc: a module that is cannot be loaded
 * into a stock server, whose spare static TLS is too small for it.  Instead
 * jemalloc_enter() finds the library in the process, or brings it in, and
 * fills one table of function pointers.  Everybody calls through the table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_JEMALLOC_H
#define JEMCTX_JEMALLOC_H

#include "postgres.h"

#include <jemalloc/jemalloc.h>

/* How jemalloc came into the server. */
typedef enum JemallocOrigin
{
	JEMALLOC_PRELOADED,			/* it was in the server, which could not start over */
	JEMALLOC_REEXECUTED,		/* the postmaster re-executed itself with it */
	JEMALLOC_DLOPENED			/* opened beside the system's malloc */
} JemallocOrigin;

typedef int (*MallctlFunction) (const char *name, void *oldp, size_t *oldlenp,
								void *newp, size_t newlen);

/* jemalloc's functions, under jemalloc's names; see jemalloc(3). */
typedef struct Jemalloc
{
	void	   *(*mallocx) (size_t size, int flags);
	void	   *(*rallocx) (void *ptr, size_t size, int flags);
	size_t		(*xallocx) (void *ptr, size_t size, size_t extra, int flags);
	size_t		(*sallocx) (const void *ptr, int flags);
	void		(*dallocx) (void *ptr, int flags);
	size_t		(*nallocx) (size_t size, int flags);
	MallctlFunction mallctl;
	void		(*malloc_stats_print) (void (*write_cb) (void *, const char *),
									   void *cbopaque, const char *opts);
} Jemalloc;

/* Set once in the postmaster, constant from then on; children inherit them. */
extern Jemalloc je;
extern JemallocOrigin jemalloc_origin;
extern bool jemalloc_is_malloc; /* is the server's malloc this jemalloc? */

/* GUCs */
extern char *jemalloc_library;
extern bool jemalloc_profile;

extern _Noreturn void jemalloc_missing(void);
extern const char *jemalloc_origin_name(void);
extern const char *jemalloc_path(void);

/*
 * For functions that other modules call.  A module that was not preloaded
 * raises an ERROR when it is loaded, and stays mapped: their symbols resolve.
 */
static inline void
jemalloc_require(void)
{
	if (unlikely(je.mallocx == NULL))
		jemalloc_missing();
}

#endif							/* JEMCTX_JEMALLOC_H */
