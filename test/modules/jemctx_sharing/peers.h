/*-------------------------------------------------------------------------
 *
 * peers.h
 *	  The ways to allocate shared memory that are compared.
 *
 * Constants, so that the works are compiled for each of them with direct
 * calls.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PEERS_H
#define PEERS_H

#include "sharing.h"

#include "utils/memutils.h"

/* What one process tells another about an object; 0 is none. */
typedef uint64 Reference;

typedef struct Peer
{
	Reference	(*alloc) (Size size);	/* 0 when there is no memory */
	void		(*free) (Reference object);
	char	   *(*address) (Reference object);
} Peer;

static inline Reference
namespace_alloc(Size size)
{
	return (uintptr_t) jemctx_namespace_allocate(bench_namespace, size, MCXT_ALLOC_NO_OOM);
}

static inline void
namespace_free(Reference object)
{
	jemctx_namespace_free(bench_namespace, (void *) object);
}

static inline char *
plain_address(Reference object)
{
	return (char *) object;
}

static inline Reference
context_alloc(Size size)
{
	return (uintptr_t) MemoryContextAlloc(bench_context, size);
}

static inline void
context_free(Reference object)
{
	pfree((void *) object);
}

static inline Reference
area_alloc(Size size)
{
	return dsa_allocate_extended(bench_area, size, DSA_ALLOC_NO_OOM);
}

static inline void
area_free(Reference object)
{
	dsa_free(bench_area, object);
}

static inline char *
area_address(Reference object)
{
	return dsa_get_address(bench_area, object);
}

static const Peer namespace_peer = {namespace_alloc, namespace_free, plain_address};
static const Peer context_peer = {context_alloc, context_free, plain_address};
static const Peer area_peer = {area_alloc, area_free, area_address};

#endif							/* PEERS_H */
