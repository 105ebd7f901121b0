/*-------------------------------------------------------------------------
 *
 * memstate.h
 *	  What tools that watch memory are told about ours.
 *
 * valgrind's memcheck and AddressSanitizer know malloc and free, but not what
 * is cut from a block or a slab.  These macros tell them which bytes may be
 * used.  Built for neither tool they are nothing, arguments included.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JEMCTX_MEMSTATE_H
#define JEMCTX_MEMSTATE_H

#if defined(__SANITIZE_ADDRESS__)

#include <sanitizer/asan_interface.h>

#define MEMSTATE_WATCHED

/* Bytes may be used; what is in them means nothing yet, or something. */
#define MEMSTATE_UNDEFINED(start, size) ASAN_UNPOISON_MEMORY_REGION(start, size)
#define MEMSTATE_DEFINED(start, size) ASAN_UNPOISON_MEMORY_REGION(start, size)

/* Nobody may touch them. */
#define MEMSTATE_NOACCESS(start, size) ASAN_POISON_MEMORY_REGION(start, size)

#elif defined(JEMCTX_VALGRIND)

#include <valgrind/memcheck.h>

#define MEMSTATE_WATCHED
#define MEMSTATE_UNDEFINED(start, size) VALGRIND_MAKE_MEM_UNDEFINED(start, size)
#define MEMSTATE_DEFINED(start, size) VALGRIND_MAKE_MEM_DEFINED(start, size)
#define MEMSTATE_NOACCESS(start, size) VALGRIND_MAKE_MEM_NOACCESS(start, size)

/* Chunks of a pool, so that a report can say where one was allocated and freed. */
#define MEMSTATE_POOL_CREATE(pool) VALGRIND_CREATE_MEMPOOL(pool, 0, false)
#define MEMSTATE_POOL_DESTROY(pool) VALGRIND_DESTROY_MEMPOOL(pool)
#define MEMSTATE_POOL_ALLOC(pool, chunk, size) VALGRIND_MEMPOOL_ALLOC(pool, chunk, size)
#define MEMSTATE_POOL_FREE(pool, chunk) VALGRIND_MEMPOOL_FREE(pool, chunk)
#define MEMSTATE_POOL_MOVE(pool, from, to, size) VALGRIND_MEMPOOL_CHANGE(pool, from, to, size)
#define MEMSTATE_POOL_EMPTY(pool) VALGRIND_MEMPOOL_TRIM(pool, pool, 0)

#else

#define MEMSTATE_UNDEFINED(start, size) ((void) 0)
#define MEMSTATE_DEFINED(start, size) ((void) 0)
#define MEMSTATE_NOACCESS(start, size) ((void) 0)

#endif

#ifndef MEMSTATE_POOL_CREATE
#define MEMSTATE_POOL_CREATE(pool) ((void) 0)
#define MEMSTATE_POOL_DESTROY(pool) ((void) 0)
#define MEMSTATE_POOL_ALLOC(pool, chunk, size) ((void) 0)
#define MEMSTATE_POOL_FREE(pool, chunk) ((void) 0)
#define MEMSTATE_POOL_MOVE(pool, from, to, size) ((void) 0)
#define MEMSTATE_POOL_EMPTY(pool) ((void) 0)
#endif

#endif							/* JEMCTX_MEMSTATE_H */
