/*-------------------------------------------------------------------------
 *
 * board.h
 *	  What the fuzzer and the backends that it drives share.
 *
 * A file that all of them map.  The fuzzer writes what each session is to do;
 * the sessions do it, at the same time, compare what happens with the model,
 * and change the model.  Whatever a session uses of the model in a round is
 * its own in this round: the fuzzer sees to that when it deals out the work.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_BOARD_H
#define FUZZ_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#define SESSIONS 4
#define SPACES 4
#define OBJECTS 256
#define QUEUE 64
#define COUNTERS 65536
#define OP_BYTES 4				/* of the input, for an operation */

#define REGION_BYTES (UINT64_C(64) << 20)

/* The largest size of which a slab has several. */
#define SMALL_OBJECT 12288

/* The names of the namespaces, and of the variable that tells where the board is. */
#define SPACE_NAME "fuzz%d"
#define BOARD_VARIABLE "JEMCTX_FUZZ_BOARD"

/*
 * What can be done.  The fuzzer's own steps are first, then what a session
 * does with its memory contexts, with objects, with whole namespaces, and the
 * rest.
 */
#define FUZZ_OPERATIONS(X) \
	X(ROUND_ENDS) X(CANCEL) X(TERMINATE) X(KILL) \
	X(CONTEXT_CREATE) X(CONTEXT_DELETE) X(CONTEXT_RESET) X(CONTEXT_RESET_ONLY) X(CONTEXT_MOVE) \
	X(CHUNK_ALLOC) X(CHUNK_REALLOC) X(CHUNK_FREE) X(CHUNK_CHECK) \
	X(OBJECT_ALLOC) X(OBJECT_REALLOC) X(OBJECT_FREE) X(OBJECT_CHECK) X(OBJECT_MISTAKE) \
	X(OBJECT_MANY) \
	X(ROOT_SET) X(ROOT_GET) \
	X(SPACE_CREATE) X(SPACE_DROP) X(SPACE_RESET) X(SPACE_LIMIT) \
	X(LIMIT) X(PURGE) X(LOOK) X(CLEAN_UP)

#define FUZZ_ENUM(name) name,
typedef enum OpCode
{
	FUZZ_OPERATIONS(FUZZ_ENUM)
	OPERATIONS
} OpCode;

/* Bits of flags. */
#define OP_KEPT 1				/* by the handle that the session had before, not by name */
#define OP_RACE 2				/* need not be alone with its namespace */
#define OP_NO_OOM 4
#define OP_ZERO 8
#define OP_CONTEXT 16			/* through the memory context of the namespace, or persistent */
#define OP_HUGE 32

typedef enum OpState
{
	OP_WAITS,
	OP_RUNS,
	OP_DONE
} OpState;

typedef struct Op
{
	uint8_t		code;
	uint8_t		flags;
	uint8_t		slot;			/* object or chunk; its namespace or context goes by it */
	uint8_t		number;			/* the byte that size is made from */
	uint64_t	size;
	uint8_t		state;
	bool		raced;			/* others may drop the namespace meanwhile */
	uint32_t	resets;			/* of it, that were over before the operation allocated */
	bool		stale;			/* it may have freed what a reset took */
	char		sqlstate[6];	/* empty if there was no error */
} Op;

/* An object of a namespace; one slot in four is that namespace's. */
typedef struct Object
{
	char	   *address;		/* NULL if there is none */
	uint64_t	size;
	uint64_t	usable;
	uint8_t		seed;			/* of what is painted into it */
	bool		chunk;			/* of the namespace's context */
} Object;

typedef struct Space
{
	bool		exists;
	bool		unsure;			/* interrupted, or raced for: to be set right after the round */
	bool		recount;		/* so is its count of refusals */
	uint32_t	generation;		/* changes when it is dropped */
	uint32_t	settled;		/* times that it was set right: handles may be stale, or not */
	uint64_t	limit;
	uint64_t	refused;
	char	   *root;
	uint64_t	committed;		/* before the round, as the view had it */

	/* while sessions race for it; atomic */
	uint32_t	created;
	uint32_t	dropped;
	uint32_t	resets_begun;
	uint32_t	resets_over;
} Space;

typedef struct Queue
{
	uint32_t	count;
	Op			ops[QUEUE];
} Queue;

typedef struct Board
{
	uint8_t		counters[COUNTERS]; /* must be first: places in the program that were reached */
	uint64_t	asked;			/* bytes that the round may take at most */
	Space		spaces[SPACES];
	Object		objects[OBJECTS];
	Queue		queues[SESSIONS];
} Board;

static inline int
space_of_slot(uint8_t slot)
{
	return slot % SPACES;
}

/* Does the operation use a namespace, and is it one for which that must be the session's own? */
static inline bool
op_uses_space(const Op *op)
{
	return op->code >= OBJECT_ALLOC && op->code <= SPACE_LIMIT;
}

static inline bool
op_takes_space(const Op *op)
{
	return op->code >= ROOT_SET && op->code <= SPACE_LIMIT;
}

static inline bool
op_uses_object(const Op *op)
{
	return op->code >= OBJECT_ALLOC && op->code <= OBJECT_MISTAKE;
}

#endif							/* FUZZ_BOARD_H */
